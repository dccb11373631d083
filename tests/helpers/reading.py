"""What a person can read and reach in a panel: names, order, contrast, whole words."""

from __future__ import annotations

import numpy as np
from qtpy.QtCore import QPoint, Qt
from qtpy.QtGui import QPixmap, QTextDocument
from qtpy.QtWidgets import (
    QAbstractButton,
    QAbstractSpinBox,
    QCheckBox,
    QComboBox,
    QLabel,
    QLineEdit,
    QRadioButton,
    QWidget,
)

_CLOSER = 4
"""Widgets are drawn so much larger, that strokes of letters have their full colour."""


def plain(text):
    document = QTextDocument()
    document.setHtml(text) if Qt.mightBeRichText(text) else document.setPlainText(text)
    return document.toPlainText()


def stops(root, *, hidden=False):
    """Widgets that Tab could stop at, once they are seen."""
    return [
        widget
        for widget in root.findChildren(QWidget)
        if widget.focusPolicy() & Qt.FocusPolicy.TabFocus
        and widget.focusProxy() is None
        and widget.window() is root.window()
        and (hidden or (widget.isVisible() and widget.isEnabled()))
    ]


def spoken(widget):
    """What a screen reader says of a widget."""
    own = widget.text() if isinstance(widget, QAbstractButton | QLabel) else ""
    return widget.accessibleName().strip() or plain(own).strip()


def box(widget, root):
    corner = widget.mapTo(root, QPoint(0, 0))
    return corner.x(), corner.y(), corner.x() + widget.width(), corner.y() + widget.height()


def follows(first, second, root):
    """Whether the second widget is read after the first one."""
    x0, y0, _, y1 = box(first, root)
    x2, y2, _, y3 = box(second, root)
    beside = min(y1, y3) - max(y0, y2) > 0.5 * min(y1 - y0, y3 - y2)
    return x2 > x0 if beside else y2 + y3 > y0 + y1


def contrast(one, other):
    """WCAG 2.2 on arrays (..., 3) of 0 to 255."""

    def luminance(colour):
        level = np.asarray(colour, dtype=float) / 255
        linear = np.where(level <= 0.04045, level / 12.92, ((level + 0.055) / 1.055) ** 2.4)
        return linear @ np.array([0.2126, 0.7152, 0.0722])

    a, b = luminance(one), luminance(other)
    return (np.maximum(a, b) + 0.05) / (np.minimum(a, b) + 0.05)


def pixels(widget):
    """Picture of a widget, (h, w, 3), larger than on the screen."""
    picture = QPixmap(widget.size() * _CLOSER)
    picture.setDevicePixelRatio(_CLOSER)
    widget.render(picture)
    image = picture.toImage().convertToFormat(picture.toImage().Format.Format_RGB32)
    data = image.constBits()
    data.setsize(image.sizeInBytes())
    array = np.frombuffer(data, np.uint8).reshape(image.height(), image.width(), 4)
    return array[..., 2::-1].copy()


def shown_contrast(widget):
    """Contrast of the letters of a widget against its ground, as they are drawn."""
    colours, counts = np.unique(pixels(widget).reshape(-1, 3), axis=0, return_counts=True)
    ground = colours[counts.argmax()]
    often = colours[counts >= 2 * _CLOSER]
    return float(contrast(often, ground).max())


def cut(root):
    """Texts of a widget that have no room, each with what it lacks in pixels."""
    found = []

    def check(widget, text, wanted, there):
        if wanted > there + 1:
            kind = type(widget).__name__
            found.append(f"{kind} '{plain(text)[:40]}': {wanted} of {there} px")

    for widget in root.findChildren(QWidget):
        if not widget.isVisible() or widget.window() is not root.window():
            continue
        width, metrics = widget.width(), widget.fontMetrics()
        if isinstance(widget, QLabel) and widget.text():
            if widget.wordWrap():
                check(widget, widget.text(), widget.heightForWidth(width), widget.height())
                for word in plain(widget.text()).split():
                    check(widget, word, metrics.horizontalAdvance(word), width)
            else:
                check(widget, widget.text(), widget.sizeHint().width(), width)
        elif isinstance(widget, QCheckBox | QRadioButton):
            if widget.text():
                check(widget, widget.text(), widget.sizeHint().width(), width)
        elif isinstance(widget, QAbstractButton) and widget.text():
            check(widget, widget.text(), metrics.horizontalAdvance(widget.text()) + 2, width)
            check(widget, widget.text(), metrics.height(), widget.height())
        elif isinstance(widget, QAbstractSpinBox):
            line = widget.lineEdit()
            check(widget, widget.text(), metrics.horizontalAdvance(widget.text()), line.width())
        elif isinstance(widget, QComboBox):
            text = widget.currentText() or widget.placeholderText()
            if text not in plain(widget.toolTip()):  # long names are read there
                check(widget, text, metrics.horizontalAdvance(text), width - 36)
        elif isinstance(widget, QLineEdit) and not isinstance(
            widget.parentWidget(), QAbstractSpinBox | QComboBox
        ):
            text = widget.placeholderText()
            check(widget, text, metrics.horizontalAdvance(text), width - 4)
    return found

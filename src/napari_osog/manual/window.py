"""The window of the manual: pages of the package itself, without a network."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import Qt, QUrl
from qtpy.QtGui import (
    QColor,
    QDesktopServices,
    QImage,
    QKeySequence,
    QTextCharFormat,
    QTextCursor,
    QTextDocument,
)
from qtpy.QtWidgets import (
    QHBoxLayout,
    QLineEdit,
    QShortcut,
    QTextBrowser,
    QVBoxLayout,
    QWidget,
)

from napari_osog.manual import pages
from napari_osog.manual.reference import (
    entrances,
    instruments_table,
    materials_table,
    section_of,
)
from napari_osog.panels.style import letter_size, theme_colours
from napari_osog.panels.widgets import push_button

if TYPE_CHECKING:
    from collections.abc import Callable

FIRST = "index.md"
_WRITTEN: dict[str, Callable[[], str]] = {
    "scene_reference": entrances,
    "materials_table": materials_table,
    "instruments_table": instruments_table,
    "cli_reference": lambda: "`osog COMMAND --help` lists the options of a command.",
    "contributing": lambda: "See `CONTRIBUTING.md` in the repository.",
}
"""What stands in the place of the markers of pages."""
_STYLE = """
QTextBrowser {{ background: {background}; color: {text}; font-size: {letters}; padding: 8px; }}
QLineEdit {{ font-size: {letters}; placeholder-text-color: {placeholder}; }}
"""


class Pages(QTextBrowser):
    """Text and pictures of one page, no picture wider than the window."""

    def loadResource(self, kind: int, name: QUrl) -> Any:
        """Read a picture of a page."""
        if kind != QTextDocument.ResourceType.ImageResource.value:
            return None
        path = pages.folder() / self.property("page_folder") / name.toString()
        image = QImage(str(path))
        port = self.viewport()
        room = max((0 if port is None else port.width()) - 40, 200)
        if image.width() > room:
            image = image.scaledToWidth(room, Qt.TransformationMode.SmoothTransformation)
        return image


class ManualWindow(QWidget):
    """The manual, beside the window of napari.

    Parameters
    ----------
    parent : QWidget or None
        Window of napari, with which it goes.
    theme : str
        Of napari.

    Attributes
    ----------
    link : str
        Page and heading on show.
    """

    def __init__(self, parent: QWidget | None, theme: str = "dark") -> None:
        super().__init__(parent, Qt.WindowType.Window)
        self.setWindowTitle("Manual of OSOG")
        self.link = ""
        self._before: list[str] = []
        self.text = Pages()
        self.text.setOpenLinks(False)
        self.text.setAccessibleName("Page of the manual")
        self.text.anchorClicked.connect(lambda url: self.follow(url.toString()))
        self.back_button = push_button("Back", "The page before", self.back)
        self.contents_button = push_button("Contents", "The first page of the manual", self.first)
        self.words = QLineEdit()
        self.words.setPlaceholderText("Find on this page")
        self.words.setAccessibleName("Find on this page")
        self.words.returnPressed.connect(self.find_words)
        self.close_button = push_button("Close", "", self.close)
        line = QHBoxLayout()
        for widget in (self.back_button, self.contents_button, self.words, self.close_button):
            line.addWidget(widget, int(widget is self.words))
        box = QVBoxLayout(self)
        box.setContentsMargins(6, 6, 6, 6)
        box.addLayout(line)
        box.addWidget(self.text)
        QShortcut(QKeySequence(Qt.Key.Key_Escape), self, self.close)
        self.resize(760, 640)
        self.take_theme(theme)

    def take_theme(self, theme: str) -> None:
        """Take the colours of a theme of napari."""
        colours = theme_colours(theme)
        self.setStyleSheet(_STYLE.format(**colours, letters=letter_size()))
        self._link_colour = colours["focus"]
        if self.link:
            self._show(self.link)

    # --- where it goes -----------------------------------------------------------------------

    def open(self, link: str = FIRST, field: str = "") -> None:
        """Show a page.

        Parameters
        ----------
        link : str
            Page and, after ``#``, a heading there.
        field : str
            Marked on the page, where it stands in a table.
        """
        if self.link and self.link != link:
            self._before.append(self.link)
        self._show(link)
        if field:
            self._mark(field)
        self.back_button.setEnabled(bool(self._before))
        self.show()
        self.raise_()
        self.activateWindow()

    def first(self) -> None:
        """Show the contents."""
        self.open(FIRST)

    def back(self) -> None:
        """Show the page before this one."""
        if self._before:
            self._show(self._before.pop())
        self.back_button.setEnabled(bool(self._before))

    def follow(self, url: str) -> None:
        """Go where a link of the page leads: to another page, or to a browser."""
        if "://" in url or url.startswith("mailto:"):
            QDesktopServices.openUrl(QUrl(url))
            return
        here, _ = pages.split(self.link)
        page, anchor = pages.split(url)
        target = posixpath.normpath(posixpath.join(posixpath.dirname(here), page)) if page else here
        if not target.endswith(".md"):
            QDesktopServices.openUrl(QUrl.fromLocalFile(str(pages.folder() / target)))
            return
        self.open(f"{target}#{anchor}" if anchor else target)

    def find_words(self) -> None:
        """Go on to the next place of the words that were typed, round the end of the page."""
        if not self.text.find(self.words.text()):
            self.text.moveCursor(QTextCursor.MoveOperation.Start)
            self.text.find(self.words.text())

    # --- what it shows -----------------------------------------------------------------------

    def _show(self, link: str) -> None:
        self.link = link
        page, anchor = pages.split(link)
        text, found = _text(page, anchor)
        self.text.setProperty("page_folder", posixpath.dirname(page))
        document = self.text.document()
        assert document is not None
        document.setMarkdown(pages.shown(text))
        self._colour_links()
        self.text.moveCursor(QTextCursor.MoveOperation.Start)
        if found:
            self._scroll_to(list(pages.headings(text)).index(found))

    def _scroll_to(self, number: int) -> None:
        """Bring a heading to the top, counted from 0."""
        document = self.text.document()
        assert document is not None
        block = document.begin()
        while block.isValid():
            if block.blockFormat().headingLevel():
                if number == 0:
                    layout, bar = document.documentLayout(), self.text.verticalScrollBar()
                    assert layout is not None and bar is not None
                    self.text.setTextCursor(QTextCursor(block))
                    bar.setValue(int(layout.blockBoundingRect(block).top()))
                    return
                number -= 1
            block = block.next()

    def _colour_links(self) -> None:
        """Markdown knows no style sheet: its links would be dark blue on a dark ground."""
        document = self.text.document()
        assert document is not None
        look = QTextCharFormat()
        look.setForeground(QColor(self._link_colour))
        block = document.begin()
        while block.isValid():
            pieces = block.begin()
            while not pieces.atEnd():
                piece = pieces.fragment()
                if piece.charFormat().isAnchor():
                    cursor = QTextCursor(document)
                    cursor.setPosition(piece.position())
                    cursor.setPosition(
                        piece.position() + piece.length(), QTextCursor.MoveMode.KeepAnchor
                    )
                    cursor.mergeCharFormat(look)
                pieces += 1
            block = block.next()

    def _mark(self, field: str) -> None:
        """Select a field where it stands alone."""
        self.text.moveCursor(QTextCursor.MoveOperation.Start)
        flags = QTextDocument.FindFlag.FindWholeWords | QTextDocument.FindFlag.FindCaseSensitively
        self.text.find(field, flags)


def _text(page: str, anchor: str) -> tuple[str, str]:
    """Text to show for a link, and the anchor in it; sections of the reference stand alone."""
    text = pages.text_of(page)
    if anchor and anchor not in pages.headings(text) and page == pages.REFERENCE:
        return f"[Scene file]({page})\n\n{section_of(anchor)}", ""
    for name, write in _WRITTEN.items():
        marker = f"{{{{ {name} }}}}"
        if marker in text:
            text = text.replace(marker, write())
    return text, anchor if anchor in pages.headings(text) else ""


def open_manual(
    parent: QWidget | None, theme: str, link: str = FIRST, field: str = ""
) -> ManualWindow:
    """Open the manual that belongs to a window of napari; see `ManualWindow.open`."""
    window = None if parent is None else parent.findChild(ManualWindow)
    if window is None:
        window = ManualWindow(parent, theme)
    else:
        window.take_theme(theme)
    window.open(link, field)
    return window


__all__ = ["FIRST", "ManualWindow", "open_manual"]

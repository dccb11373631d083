"""Blocks of a scene that come in several kinds, which code outside the package may add to."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, TypeVar, Union, get_args

from pydantic import Field, GetCoreSchemaHandler, GetJsonSchemaHandler, TypeAdapter
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

from osog.scene.model import SceneModel

M = TypeVar("M", bound=SceneModel)


class Kinds(Mapping[str, type[M]]):
    """The classes that one block may be of, told apart by their field ``kind``.

    A mapping from the name in the scene file to the class, in the order of a menu. As the
    metadata of an annotation, ``Annotated[ShapeModel, SHAPES]``, it validates, writes and
    describes (JSON schema) a block as a union of all classes that are registered at that time.

    Parameters
    ----------
    models : type
        Each has a field ``kind`` with its name in the scene file as the only value and default.
    tag : str
        What that field is called.
    default : str, optional
        Kind of a block that names none.
    switched : bool
        Whether a block may hold fields of another of the kinds, which are dropped: a kind can then
        be changed in place.
    """

    def __init__(
        self,
        *models: type[M],
        tag: str = "kind",
        default: str | None = None,
        switched: bool = False,
    ) -> None:
        self._tag, self._default, self._switched = tag, default, switched
        self._models = {self.name_of(model): model for model in models}
        self._adapter: TypeAdapter[M] | None = None

    def name_of(self, model: type[SceneModel]) -> str:
        """Name of a class in the scene file.

        Raises
        ------
        ValueError
            When that field is not one word, such as ``kind: Literal["lens"] = "lens"``.
        """
        info = model.model_fields.get(self._tag)
        default = info.default if info is not None else None
        if info is None or not isinstance(default, str) or get_args(info.annotation) != (default,):
            raise ValueError(
                f"{model.__name__} needs a field such as  {self._tag}: Literal['word'] = 'word'  "
                "that tells it apart in a scene file."
            )
        return default

    @property
    def models(self) -> dict[str, type[M]]:
        """Every class by its name in the scene file, in the order of a menu."""
        return dict(self._models)

    def __getitem__(self, kind: str) -> type[M]:
        """Class of a kind."""
        return self._models[kind]

    def __hash__(self) -> int:
        """Tell it apart as an object, so that it may stand in a union."""
        return id(self)

    def __iter__(self) -> Iterator[str]:
        """Names of all kinds."""
        return iter(self._models)

    def __len__(self) -> int:
        """How many kinds there are."""
        return len(self._models)

    def register(self, model: type[M]) -> type[M]:
        """Add a class, or replace the one of the same kind."""
        self._models[self.name_of(model)] = model
        self._adapter = None
        return model

    def remove(self, kind: str) -> None:
        """Take a class away again."""
        del self._models[kind]
        self._adapter = None

    def _union(self) -> "TypeAdapter[M]":
        if self._adapter is None:
            union: Any = Union[tuple(self._models.values())]  # noqa: UP007
            tagged: Any = Annotated[union, Field(discriminator=self._tag)]
            self._adapter = TypeAdapter(tagged)
        return self._adapter

    def _validated(self, value: Any) -> M:
        if isinstance(value, dict):
            if self._default is not None and self._tag not in value:
                value = {self._tag: self._default, **value}
            if self._switched and value.get(self._tag) in self._models:
                own = self._models[value[self._tag]].model_fields
                known = {name for model in self._models.values() for name in model.model_fields}
                value = {k: v for k, v in value.items() if k in own or k not in known}
        return self._union().validate_python(value)

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        """Validate with the union of the moment, and write each block as its own class does."""
        return core_schema.no_info_plain_validator_function(
            self._validated, serialization=core_schema.SimpleSerSchema(type="any")
        )

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """Describe the union of the moment; a block that names no kind is of the default one."""
        described = handler(self._union().core_schema)
        for one in described.get("oneOf", []) if self._default is not None else ():
            inner = handler.resolve_ref_schema(one)
            if inner["properties"][self._tag].get("const") != self._default:
                inner["required"] = sorted({*inner.get("required", []), self._tag})
        return described

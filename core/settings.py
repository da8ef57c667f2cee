"""Declare a setting once: type, range, unit, default and help; forms, command line and files follow from it."""

import dataclasses
import functools
import re
import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

_LONGEST_TOLD = 80


class ConfigError(ValueError):
    """A setting has a value that is not allowed; the message names the setting, the value and what is."""


@dataclass(frozen=True, slots=True)
class Choice:
    """One allowed value of a setting that is chosen by name."""

    name: str
    label: str
    help: str


@dataclass(frozen=True, slots=True)
class Declaration:
    """What a form or a command line needs to know of a setting, besides its type and default."""

    label: str
    help: str
    unit: str = ""
    minimum: float | None = None
    maximum: float | None = None
    exclusive_minimum: bool = False
    choices: tuple[Choice, ...] = ()
    live: bool = False
    advanced: bool = False

    @property
    def allowed(self) -> str:
        """What the setting accepts, in words for an error message."""
        if self.choices:
            return "one of " + ", ".join(choice.name for choice in self.choices)
        if self.minimum is None and self.maximum is None:
            return "any value"
        low = "(-inf" if self.minimum is None else ("(" if self.exclusive_minimum else "[") + f"{self.minimum:,.15g}"
        high = "inf)" if self.maximum is None else f"{self.maximum:,.15g}]"
        return f"in {low}, {high}"


@dataclass(frozen=True, slots=True)
class Setting:
    """A declared setting of one section, as a form shows it."""

    section: str
    name: str
    type: type
    default: Any
    declaration: Declaration


def setting(default: object, *, label: str, help: str, **rest: Any) -> Any:  # noqa: A002, ANN401
    """Declare a dataclass field that is a setting (see Declaration for the keywords)."""
    declaration = Declaration(label=label, help=help, **rest)
    return dataclasses.field(default=default, metadata={"declaration": declaration})


class Section:
    """Base of a frozen dataclass of settings: validates itself, reads and writes plain mappings."""

    def __post_init__(self) -> None:
        for declared in self.settings():
            value = _checked(declared, getattr(self, declared.name))
            object.__setattr__(self, declared.name, value)
        self.check()

    def check(self) -> None:
        """Refuse combinations of settings that make no sense.  Raises ConfigError."""

    @classmethod
    @functools.cache
    def settings(cls) -> tuple[Setting, ...]:
        """Return the section's settings in the order of their declaration."""
        hints = typing.get_type_hints(cls)
        fields = dataclasses.fields(cls)  # type: ignore[arg-type]
        return tuple(
            Setting(
                cls.__name__,
                field.name,
                _plain_type(hints[field.name]),
                field.default,
                field.metadata["declaration"],
            )
            for field in fields
        )

    @classmethod
    def from_mapping(cls, values: Mapping[str, object]) -> Self:
        """Return a section from plain values; unknown names raise ConfigError, missing ones take defaults."""
        known = {declared.name: declared for declared in cls.settings()}
        for name in values:
            if name not in known:
                raise ConfigError(f"unknown setting {told(name)}; known here: {', '.join(known)}")
        # Checked here as well: JSON has lists where a section has tuples, and its annotations may be executed.
        return cls(**{name: _checked(known[name], value) for name, value in values.items()})

    def to_mapping(self) -> dict[str, object]:
        """Return plain values that JSON can hold and from_mapping takes back."""
        values = {declared.name: getattr(self, declared.name) for declared in self.settings()}
        return {name: list(value) if isinstance(value, tuple) else value for name, value in values.items()}


def parse(declared: Setting, text: str) -> object:
    """Return the value that `text` means for a setting.  Raises ConfigError."""
    text = text.strip()
    try:
        if declared.type is bool:
            return {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}[text.lower()]
        if declared.type is tuple:
            # 512-256 is how papers write it; a dash before a number is its sign.  Only a last comma may end the list.
            parts = re.sub(r"(?<=\d)\s*-", ",", text).removesuffix(",").split(",") if text else []
            return tuple(int(part) for part in parts)
        return declared.type(text)
    except (KeyError, ValueError):
        wanted = {
            bool: "yes or no",
            int: "a whole number",
            float: "a number",
            tuple: "whole numbers like 512,256",
        }
        found = f", not {told(text)}" if text else "; it is empty"
        raise ConfigError(f"{declared.name} must be {wanted.get(declared.type, 'a text')}{found}") from None


def _plain_type(hint: object) -> type:
    origin = typing.get_origin(hint)
    if origin is types.UnionType:
        raise TypeError(f"a setting has one type, not {hint}")
    plain = origin or hint
    if not isinstance(plain, type):
        raise TypeError(f"no form can show {hint}")
    return plain


def _checked(declared: Setting, value: object) -> object:
    """Return the value in the setting's own type.  Raises ConfigError."""
    declaration, name = declared.declaration, declared.name
    if declared.type is tuple and isinstance(value, list):
        value = tuple(value)
    if declared.type is float and type(value) is int:
        # Compared before it is converted: a float overflows where a whole number does not.
        _check_range(name, declaration, value)
        value = float(value)
    wrong_bool = isinstance(value, bool) and declared.type is not bool
    if not isinstance(value, declared.type) or wrong_bool:
        raise ConfigError(f"{name} must be of type {declared.type.__name__}, not {told(value)}")
    if declaration.choices and value not in {choice.name for choice in declaration.choices}:
        raise ConfigError(f"{name} must be {declaration.allowed}, not {told(value)}")
    for number in value if isinstance(value, tuple) else (value,):
        if isinstance(value, tuple) and (isinstance(number, bool) or not isinstance(number, int)):
            raise ConfigError(f"{name} must hold whole numbers, not {told(number)}")
        if isinstance(number, int | float) and not isinstance(number, bool):
            _check_range(name, declaration, number)
    return value


def _check_range(name: str, declaration: Declaration, number: float) -> None:
    low, high = declaration.minimum, declaration.maximum
    too_low = low is not None and (number <= low if declaration.exclusive_minimum else number < low)
    too_high = high is not None and number > high
    # Only a NaN differs from itself; a whole number too large for a float must not be made one to see that.
    if number != number or too_low or too_high:  # noqa: PLR0124
        raise ConfigError(f"{name} must lie {declaration.allowed}, not {told(number)}")


def told(value: object) -> str:
    """Return a value as a message can hold it: a damaged file may have a text of megabytes in any place."""
    text = repr(value)
    return text if len(text) <= _LONGEST_TOLD else f"{text[:_LONGEST_TOLD]}…"

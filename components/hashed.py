"""The hash of a component's code as a parameter of a component that TFX's decorator makes."""

from typing import Any

from tfx.dsl.components.base.base_component import BaseComponent
from tfx.types.component_spec import ExecutionParameter

from components.code_version import code_version


def hashed(component: type[BaseComponent]) -> type[BaseComponent]:
    """Adds the parameter ``code`` to a component: the `code_version` of its module.

    TFX's cache sees it; the decorated function does not. A default would not do: TFX leaves out of
    the parameters what is not given.

    Args:
        component: made by TFX's ``@component``.

    Returns:
        The component, which is constructed as before.
    """
    construct = component.__init__

    def construct_hashed(self: BaseComponent, **given: Any) -> None:
        construct(self, **given, code=code_version(component.__module__))

    component.SPEC_CLASS.PARAMETERS["code"] = ExecutionParameter(type=str)
    component.__init__ = construct_hashed
    return component

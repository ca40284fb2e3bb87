"""Page templates: one Jinja environment, autoescaping, strict about names it does not know."""

from jinja2 import Environment, PackageLoader, StrictUndefined

from aerocast_hub.web import wording
from aerocast_hub.web.assets import asset_url

_environment = Environment(
    loader=PackageLoader("aerocast_hub.web"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_environment.globals["asset"] = asset_url
_environment.filters.update(wording.FILTERS)


def render(template: str, **values: object) -> str:
    """Render a page.

    Raises
    ------
    jinja2.UndefinedError
        The template uses a name it was not given.
    """
    return _environment.get_template(template).render(values)


def render_block(template: str, block: str, **values: object) -> str:
    """Render one block of a page, as it stands in the whole.

    Raises
    ------
    KeyError
        The page has no such block.
    jinja2.UndefinedError
        It uses a name it was not given.
    """
    found = _environment.get_template(template)
    return "".join(found.blocks[block](found.new_context(values)))

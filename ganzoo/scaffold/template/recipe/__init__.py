"""My recipe: an experiment that anyone can repeat with one command."""

from collections.abc import Iterator

from ganzoo.api import RecipeCard, hookimpl


@hookimpl
def ganzoo_recipes() -> Iterator[RecipeCard]:
    yield RecipeCard(
        name="my-recipe",
        summary="A small DCGAN on digits: two epochs, then one at a tenth of the rate.",
        architecture="dcgan",
        data="digits",
        preset="small",
        options={"beta1": 0.5},
        stages=(
            {"epochs": 2, "lr": 2e-4},
            {"epochs": 1, "lr": 2e-5},
        ),
        api=2,
    )

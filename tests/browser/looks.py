"""Pictures of pages, and whether everybody can use them."""

from __future__ import annotations

from pathlib import Path

from playwright.async_api import Page, expect

ARTIFACTS = Path(__file__).parents[2] / "artifacts"
"""Ignored by git; to be looked at by people."""

_RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
_RUN_AXE = """
async ([rules, without]) => {
  const found = await axe.run(
    {exclude: without},
    {runOnly: {type: "tag", values: rules}, resultTypes: ["violations"]},
  );
  return found.violations.map((each) => ({
    id: each.id,
    help: each.help,
    nodes: each.nodes.slice(0, 5).map((node) => `${node.target} ${node.html.slice(0, 160)}`
      + ` ${node.any.concat(node.all, node.none).map((check) => check.message).join("; ")}`),
    count: each.nodes.length,
  }));
}
"""


async def shot(page: Page, name: str, *, whole: bool = False) -> Path:
    """Write ``artifacts/<name>.png``; `whole`: also what is below the window's edge."""
    ARTIFACTS.mkdir(exist_ok=True)
    path = ARTIFACTS / f"{name}.png"
    await page.screenshot(path=path, animations="disabled", full_page=whole)
    return path


async def dark(page: Page) -> None:
    """Have the system dark, and wait until the page is."""
    await page.emulate_media(color_scheme="dark")
    await expect(page.locator(":root[data-mantine-color-scheme=dark]")).to_be_attached()
    await page.evaluate("new Promise(requestAnimationFrame)")  # colours change from frame to frame


class Accessibility:
    """The accessibility scan.

    Args:
        axe: Source of axe-core.
    """

    def __init__(self, axe: str) -> None:
        self._axe = axe

    async def violations(self, page: Page, *, without: tuple[str, ...] = ()) -> list[str]:
        """Return what WCAG 2.2 AA forbids, a text each; `without`: selectors left out."""
        if not await page.evaluate("typeof window.axe === 'object'"):
            await page.evaluate(self._axe)
        found = await page.evaluate(_RUN_AXE, [_RULES, list(without)])
        return [
            f"{each['id']} ({each['count']}): {each['help']}\n    " + "\n    ".join(each["nodes"])
            for each in found
        ]

    async def no_violations(self, page: Page, *, without: tuple[str, ...] = ()) -> None:
        found = await self.violations(page, without=without)
        assert not found, f"{page.url}\n" + "\n".join(found)

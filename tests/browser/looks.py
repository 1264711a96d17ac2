"""Pictures of pages, and whether everybody can use them."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from playwright.async_api import Page, expect

from tests.waiting import wait_until

ARTIFACTS = Path(__file__).parents[2] / "artifacts"
"""Ignored by git; to be looked at by people."""

_ALL = {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}
_COLOURS = {"type": "rule", "values": ["color-contrast"]}
# colours change from frame to frame, a frame late where nothing may move
_CHANGED = """
async () => {
  for (let frame = 0; frame < 2; frame += 1) await new Promise(requestAnimationFrame);
  const changes = document.getAnimations().filter((each) => each instanceof CSSTransition);
  await Promise.all(changes.map((each) => each.finished.catch(() => {})));
}
"""
_RUN_AXE = """
async ([what, without]) => {
  const found = await axe.run({exclude: without}, {runOnly: what, resultTypes: ["violations"]});
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


async def dark(page: Page, *, back: bool = False) -> None:
    """Have the system dark (`back`: light again), and wait until the page is."""
    scheme: Literal["light", "dark"] = "light" if back else "dark"
    await page.emulate_media(color_scheme=scheme)
    await expect(page.locator(f":root[data-mantine-color-scheme={scheme}]")).to_be_attached()
    await page.evaluate(_CHANGED)


async def fits(page: Page, what: str) -> None:
    """Wait until the page, which was just given another size, is no wider than its window."""

    async def does_fit() -> bool:
        return bool(await page.evaluate("document.documentElement.scrollWidth <= innerWidth"))

    await wait_until(does_fit, 20, what=f"{what} is no wider than its window")


class Accessibility:
    """The accessibility scan.

    Args:
        axe: Source of axe-core.
    """

    def __init__(self, axe: str) -> None:
        self._axe = axe

    async def violations(
        self, page: Page, *, without: tuple[str, ...] = (), colours_only: bool = False
    ) -> list[str]:
        """Return what WCAG 2.2 AA forbids, a text each; `without`: selectors left out.

        `colours_only` is for a page that was scanned in other colours before.
        """
        if not await page.evaluate("typeof window.axe === 'object'"):
            await page.evaluate(self._axe)
        what = _COLOURS if colours_only else _ALL
        await page.evaluate(_CHANGED)
        found = await page.evaluate(_RUN_AXE, [what, list(without)])
        return [
            f"{each['id']} ({each['count']}): {each['help']}\n    " + "\n    ".join(each["nodes"])
            for each in found
        ]

    async def no_violations(
        self, page: Page, *, without: tuple[str, ...] = (), colours_only: bool = False
    ) -> None:
        found = await self.violations(page, without=without, colours_only=colours_only)
        assert not found, f"{page.url}\n" + "\n".join(found)

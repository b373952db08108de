"""Writes docs/images/doctor.svg: what the doctor prints about the recorded cluster."""

from __future__ import annotations

import io
import re
from pathlib import Path

from rich.console import Console
from rich.terminal_theme import TerminalTheme
from rich.text import Text

from kubectl_wasmai import demo
from kubectl_wasmai.doctor import Options, examine
from kubectl_wasmai.report.as_table import Look, render
from kubectl_wasmai.snapshot import load

PAGE = Path(__file__).parents[1] / "images" / "doctor.svg"
COMMAND = "$ kubectl wasmai doctor --checklist runtime"
WIDTH = 80

THEME = TerminalTheme(
    (27, 31, 36),
    (225, 228, 232),
    [
        (36, 41, 46),
        (249, 117, 131),
        (133, 232, 157),
        (255, 223, 93),
        (121, 184, 255),
        (179, 146, 240),
        (86, 212, 221),
        (209, 213, 218),
    ],
)

# rich's own frame fetches a font from the network; a picture in a README must not.
FRAME = """\
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img"
  aria-label="The doctor names the root cause of a broken deployment">
<style>
.{unique_id}-matrix {{ font-family: ui-monospace, Menlo, Consolas, "DejaVu Sans Mono", monospace;
  font-size: {char_height}px; line-height: {line_height}px; }}
{styles}
</style>
<rect fill="#1b1f24" width="100%" height="100%" rx="8"/>
<g transform="translate(9, 12)">
{backgrounds}
<g class="{unique_id}-matrix" xml:space="preserve">
{matrix}
</g>
</g>
</svg>
"""


def printed() -> str:
    """The report as it is printed, in colour."""
    report = examine(load(str(demo.recording())), Options(checklists=("runtime",)))
    return render(report, Look(WIDTH, color=True))


def text() -> str:
    """The picture."""
    console = Console(record=True, width=WIDTH, file=io.StringIO(), force_terminal=True)
    console.print(COMMAND, style="bold", markup=False, highlight=False)
    console.print(Text.from_ansi(printed()), no_wrap=True, overflow="ellipsis", end="")
    svg = console.export_svg(title="", theme=THEME, code_format=FRAME, unique_id="doctor")
    # Clips of a frame that is not ours, and the ends of lines as empty texts.
    svg = re.sub(r' clip-path="[^"]*"', "", svg)
    svg = re.sub(r"<text [^>]*>\s*</text>", "", svg).replace("&#160;", "\u00a0")
    svg = re.sub(r'viewBox="0 0 (\S+) [^"]*"', rf'viewBox="0 0 \1 {height(svg)}"', svg)
    return "\n".join(line.rstrip(" ") for line in svg.splitlines() if line.strip()) + "\n"


def height(svg: str) -> int:
    """Down to a little below the last line."""
    return round(max(float(y) for y in re.findall(r'<text [^>]*y="([0-9.]+)"', svg))) + 32


if __name__ == "__main__":
    PAGE.write_text(text(), "utf-8")

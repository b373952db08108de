"""The looks of the report's page: light and dark, narrow and wide, screen and paper.

Colours say nothing that words do not say too, and each has a contrast of at least 4.5 to what it
stands on (WCAG 2.2, AA): a test holds that.
"""

from __future__ import annotations

LIGHT = {
    "page": "#f4f6f8", "card": "#ffffff", "ink": "#1b2127", "soft": "#505a64", "line": "#d5dbe1",
    "code": "#eef1f4", "PASS": "#176b30", "WARN": "#7d5200", "FAIL": "#b3202a",
    "UNKNOWN": "#6f35a5", "SKIP": "#505a64", "MANUAL": "#0a5f82", "link": "#0b57a4",
}  # fmt: skip
DARK = {
    "page": "#13171c", "card": "#1b2128", "ink": "#e6eaee", "soft": "#a6b0bb", "line": "#36404b",
    "code": "#252d36", "PASS": "#5cc878", "WARN": "#e3b34c", "FAIL": "#ff8a86",
    "UNKNOWN": "#cba3f3", "SKIP": "#a6b0bb", "MANUAL": "#6cc5e6", "link": "#86b8ff",
}  # fmt: skip
PAPER = {**LIGHT, "page": "#ffffff", "ink": "#000000", "soft": "#404040", "line": "#b0b0b0"}


def _variables(colors: dict[str, str]) -> str:
    return " ".join(f"--{name}: {color};" for name, color in colors.items())


_STATUSES = ("PASS", "WARN", "FAIL", "UNKNOWN", "SKIP", "MANUAL")
_COLORED = "\n".join(
    f"li.{status} b, b.{status}, .status.{status}, header.{status} h1 {{ color: var(--{status}); }}"
    f" header.{status} {{ border-top-color: var(--{status}); }}"
    for status in _STATUSES
)

STYLE = (
    f"""\
:root {{ color-scheme: light dark; {_variables(LIGHT)} }}
@media (prefers-color-scheme: dark) {{ :root {{ {_variables(DARK)} }} }}
@media print {{ :root {{ color-scheme: light; {_variables(PAPER)} }} }}
"""
    """\
* { box-sizing: border-box; }
html { scroll-padding-top: 1rem; -webkit-text-size-adjust: 100%; }
body { margin: 0 auto; max-width: 66rem; padding: 1.5rem 1rem 3rem; background: var(--page);
  color: var(--ink); font: 1rem/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
header, article, section { background: var(--card); border: 1px solid var(--line);
  border-radius: 10px; padding: 1.25rem 1.5rem; margin: 0 0 1.25rem; overflow-wrap: anywhere; }
header { border-top: 6px solid var(--soft); }
h1 { margin: 0 0 .25rem; font-size: 2.4rem; line-height: 1.15; letter-spacing: -.01em; }
h2 { font-size: 1.3rem; line-height: 1.3; margin: 0 0 .25rem; }
main > h2 { margin: 1.75rem 0 .75rem; }
h3 { font-size: 1.15rem; line-height: 1.35; margin: 0; }
section > h3 { font-size: 1rem; margin-top: 1rem; }
h4 { font-size: .8rem; margin: 1.1rem 0 .3rem; color: var(--soft); text-transform: uppercase;
  letter-spacing: .06em; }
p { margin: .3rem 0; max-width: 75ch; }
a { color: var(--link); }
a:focus-visible, summary:focus-visible { outline: 2px solid var(--link); outline-offset: 2px; }
.kicker { color: var(--soft); font-size: .9rem; }
.lead { font-size: 1.2rem; line-height: 1.4; font-weight: 600; }
.gap { color: var(--UNKNOWN); }
.counts { list-style: none; display: flex; flex-wrap: wrap; gap: .35rem 1.5rem; padding: 0;
  margin: 1rem 0; }
.counts b { font-size: 1.45rem; }
.facts { display: flex; flex-wrap: wrap; gap: .5rem 2rem; margin: 0; }
dt { color: var(--soft); font-size: .82rem; }
dd { margin: 0; }
.overview { margin: .5rem 0 1rem; padding-left: 1.5rem; } .overview li { margin: .2rem 0; }
nav { margin: 0 0 1.25rem; }
nav ul { list-style: none; display: flex; flex-wrap: wrap; gap: .35rem 1.75rem; padding: 0 .25rem;
  margin: 0; font-size: .95rem; }
nav b { font-size: .85rem; }
article { border-left: 6px solid var(--FAIL); }
article.possible { border-left-color: var(--WARN); }
.tag { font-size: .75rem; font-weight: 600; border: 1px solid currentColor; border-radius: 1rem;
  padding: .05rem .6rem; color: var(--FAIL); vertical-align: .15em; white-space: nowrap; }
.possible .tag { color: var(--WARN); }
.subject { margin-top: .4rem; }
code, pre { font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono",
  monospace; font-size: .86em; }
code { background: var(--code); border-radius: 4px; padding: .1em .3em;
  -webkit-box-decoration-break: clone; box-decoration-break: clone; }
pre { background: var(--code); border-radius: 6px; padding: .7rem .85rem; margin: .5rem 0;
  white-space: pre-wrap; font-size: .9rem; line-height: 1.45; }
pre code { background: none; padding: 0; font-size: inherit; }
.evidence { list-style: none; padding: 0; margin: 0; }
.evidence li { margin: .5rem 0; font-size: .94rem; }
.source { display: inline-block; min-width: 3.7rem; font-weight: 600; }
time { color: var(--soft); font-size: .85rem; white-space: nowrap; }
blockquote { margin: .2rem 0 0; padding: .1rem 0 .1rem .8rem; border-left: 3px solid var(--line);
  font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace;
  font-size: .86rem; }
.names { line-height: 1.9; max-width: none; }
details { margin-top: .5rem; } summary { cursor: pointer; color: var(--link); }
.told, .more, .needs { color: var(--soft); font-size: .92rem; }
.told { margin-bottom: .75rem; }
table { width: 100%; border-collapse: collapse; font-size: .95rem; }
th { text-align: left; font-size: .82rem; color: var(--soft); }
th, td { padding: .55rem .9rem .55rem 0; border-bottom: 1px solid var(--line);
  vertical-align: top; }
tr:last-child td { border-bottom: 0; }
td:first-child { width: 6rem; } td:nth-child(2) { width: 40%; }
.status { font-weight: 700; font-size: .82rem; }
footer { color: var(--soft); padding: 0 .25rem; }
footer h2 { font-size: 1rem; color: var(--ink); }
footer dl { display: grid; grid-template-columns: repeat(auto-fill, minmax(19rem, 1fr));
  gap: .2rem 2rem; margin: 0; font-size: .92rem; }
footer dl div { display: flex; gap: .5rem; } footer dt { flex: 0 0 5.5rem; }
@media (max-width: 640px) {
  body { padding: .6rem .6rem 2rem; } header, article, section { padding: 1rem; }
  h1 { font-size: 2rem; } .lead { font-size: 1.1rem; }
  thead { position: absolute; clip-path: inset(50%); height: 1px; width: 1px; overflow: hidden; }
  table, tbody, tr, td { display: block; }
  td, td:first-child, td:nth-child(2) { width: auto; border: 0; padding: .1rem 0; }
  tr { padding: .7rem 0; border-bottom: 1px solid var(--line); }
  tr:last-child { border-bottom: 0; }
}
@media print {
  body { font-size: 10pt; max-width: none; padding: 0; } nav { display: none; }
  header, article, section { border-radius: 0; padding: .8rem 1rem; }
  tr, li, pre, blockquote, footer { break-inside: avoid; } h2, h3, h4, .told { break-after: avoid; }
  pre, code { background: none; border: 1px solid var(--line); } pre code { border: 0; }
  .skipped { break-inside: avoid; }
  details:not(.skipped)::details-content { content-visibility: visible; display: block; }
  summary { color: var(--soft); } a { color: inherit; text-decoration: none; }
}
""" + _COLORED + "\n"
)

"""The looks of the report's page: light and dark, narrow and wide, screen and paper."""

from __future__ import annotations

STYLE = """\
:root {
  color-scheme: light dark;
  --page: #f6f7f9; --card: #fff; --ink: #1d2329; --soft: #59636e; --line: #d9dee4; --code: #eef1f4;
  --PASS: #1a7f37; --WARN: #8a5a00; --FAIL: #c0222b; --UNKNOWN: #7a3fb0; --SKIP: #59636e;
  --MANUAL: #0b6a90;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #14181d; --card: #1c2229; --ink: #e4e8ec; --soft: #9aa5b1; --line: #333c46;
    --code: #262e37; --PASS: #56c271; --WARN: #e0af45; --FAIL: #ff7b78; --UNKNOWN: #c496f0;
    --SKIP: #9aa5b1; --MANUAL: #63bfe2;
  }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--ink); line-height: 1.5;
  font-family: system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; font-size: 16px; }
main { max-width: 66rem; margin: 0 auto; padding: 1.5rem 1rem 3rem; }
header, article, section { background: var(--card); border: 1px solid var(--line);
  border-radius: 8px; padding: 1.25rem 1.5rem; margin: 0 0 1.25rem; overflow-wrap: anywhere; }
header { border-top: 6px solid var(--soft); }
header.PASS { border-top-color: var(--PASS); } header.PASS h1 { color: var(--PASS); }
header.WARN { border-top-color: var(--WARN); } header.WARN h1 { color: var(--WARN); }
header.FAIL { border-top-color: var(--FAIL); } header.FAIL h1 { color: var(--FAIL); }
header.UNKNOWN { border-top-color: var(--UNKNOWN); } header.UNKNOWN h1 { color: var(--UNKNOWN); }
h1 { margin: 0; font-size: 2.2rem; line-height: 1.2; }
h2 { font-size: 1.25rem; margin: 0 0 .75rem; }
main > h2 { margin: 1.75rem 0 .75rem; }
h3 { font-size: 1.1rem; margin: 0; }
h4 { font-size: .8rem; margin: 1rem 0 .25rem; color: var(--soft); text-transform: uppercase;
  letter-spacing: .05em; }
p { margin: .25rem 0; }
.kicker { color: var(--soft); font-size: .9rem; }
.lead { font-size: 1.1rem; margin: .25rem 0 1rem; }
.counts { list-style: none; display: flex; flex-wrap: wrap; gap: .5rem 1.5rem; padding: 0;
  margin: 0 0 1rem; }
.counts b { font-size: 1.4rem; }
.counts .none { opacity: .55; }
.facts { display: flex; flex-wrap: wrap; gap: .5rem 2rem; margin: 0; }
dt { color: var(--soft); font-size: .8rem; }
dd { margin: 0; }
article { border-left: 5px solid var(--FAIL); }
article.possible { border-left-color: var(--WARN); }
.tag { font-size: .75rem; font-weight: 600; border: 1px solid currentColor; border-radius: 1rem;
  padding: .05rem .55rem; color: var(--FAIL); vertical-align: middle; white-space: nowrap; }
.possible .tag { color: var(--WARN); }
code, pre { font-family: ui-monospace, Menlo, Consolas, "DejaVu Sans Mono", monospace;
  font-size: .86em; }
code { background: var(--code); border-radius: 4px; padding: .1em .3em; }
pre { background: var(--code); border-radius: 6px; padding: .75rem; margin: .5rem 0;
  overflow-x: auto; white-space: pre-wrap; }
pre code { background: none; padding: 0; }
.evidence { list-style: none; padding: 0; margin: 0; }
.evidence li { margin: .4rem 0; font-size: .92rem; }
.source { font-weight: 600; }
time { color: var(--soft); }
blockquote { margin: .15rem 0 0; padding: .1rem 0 .1rem .75rem; border-left: 3px solid var(--line);
  color: var(--soft); font-family: ui-monospace, Menlo, Consolas, monospace; font-size: .85rem; }
details { margin-top: .75rem; } summary { cursor: pointer; color: var(--soft); }
.more, .needs { color: var(--soft); font-size: .9rem; margin-top: .5rem; }
table { width: 100%; border-collapse: collapse; font-size: .94rem; }
th { text-align: left; font-size: .8rem; color: var(--soft); }
th, td { padding: .5rem .75rem .5rem 0; border-bottom: 1px solid var(--line);
  vertical-align: top; }
tr:last-child td { border-bottom: 0; }
td:first-child { width: 6.5rem; } td:nth-child(2) { width: 38%; }
.status { font-weight: 700; font-size: .82rem; }
li.PASS b, .status.PASS { color: var(--PASS); }
li.WARN b, .status.WARN { color: var(--WARN); }
li.FAIL b, .status.FAIL { color: var(--FAIL); }
li.UNKNOWN b, .status.UNKNOWN { color: var(--UNKNOWN); }
li.SKIP b, .status.SKIP { color: var(--SKIP); }
li.MANUAL b, .status.MANUAL { color: var(--MANUAL); }
@media (max-width: 640px) {
  main { padding: .75rem .5rem 2rem; } header, article, section { padding: 1rem; }
  thead { display: none; } table, tbody, tr, td { display: block; }
  td, td:first-child, td:nth-child(2) { width: auto; border: 0; padding: .1rem 0; }
  tr { padding: .6rem 0; border-bottom: 1px solid var(--line); }
  tr:last-child { border-bottom: 0; }
}
@media print {
  :root { --page: #fff; --card: #fff; --ink: #000; --soft: #444; --line: #bbb; --code: #f2f2f2;
    --PASS: #1a7f37; --WARN: #8a5a00; --FAIL: #c0222b; --UNKNOWN: #7a3fb0; --MANUAL: #0b6a90; }
  body { font-size: 10pt; } main { max-width: none; padding: 0; }
  article, tr { break-inside: avoid; } h2, h3, h4 { break-after: avoid; }
}
"""

"""The page's style sheet; a string, so that the code's hash covers it."""

from typing import Final

STYLE: Final = """
:root {
  --ground: #f5f6f7; --surface: #fff; --line: #d5dade; --muted: #55606a; --text: #1a2126;
  --accent: #0b6e75; --tint: #e3f1f1; --warm: #b04a00; --warm-tint: #fbeee4; --bar: #6aa5aa;
  --train: #7d6b91;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #0f1316; --surface: #171c20; --line: #2f383f; --muted: #a3adb5; --text: #e8ecef;
    --accent: #5cc7cc; --tint: #14292b; --warm: #ffa861; --warm-tint: #33241a; --bar: #3d8589;
    --train: #b6a3cc;
  }
}
*, ::before, ::after { box-sizing: border-box; }
html {
  background: var(--ground); color: var(--text); color-scheme: light dark;
  font: 1rem/1.5 system-ui, "Segoe UI", Roboto, Helvetica, Arial, "DejaVu Sans", sans-serif;
  -webkit-text-size-adjust: 100%;
}
body { margin: 0 auto; max-width: 68rem; padding: 2rem clamp(1rem, 4vw, 2.5rem) 4rem; }
h1 { font-size: 1.75rem; letter-spacing: -.015em; line-height: 1.2; margin: 0;
     overflow-wrap: anywhere; }
h2 { font-size: 1.25rem; line-height: 1.3; margin: 0 0 .75rem; }
h3 { font-size: 1rem; margin: 0 0 .5rem; }
p, dl, figure, ul { margin: 0 0 .75rem; padding: 0; }
dd { margin: 0; }
a { color: var(--accent); }
code { font: .875em ui-monospace, "SF Mono", Menlo, Consolas, monospace; overflow-wrap: anywhere; }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
.subject { color: var(--muted); margin: .25rem 0 1rem; overflow-wrap: anywhere; }
.verdict { border-left: .25rem solid var(--accent); border-radius: .25rem; background: var(--tint);
  margin: 0 0 1rem; padding: .75rem 1rem; }
.verdict.no { border-color: var(--warm); background: var(--warm-tint); }
.verdict p { font-size: 1.125rem; margin: 0; }
.verdict li + li { margin-top: .25rem; }
.verdict ul { color: var(--muted); font-size: .9375rem; margin: .25rem 0 0; list-style: none; }
.notice, .note, figcaption { color: var(--muted); font-size: .875rem; max-width: 60rem; }
nav { margin: 0 0 1rem; }
nav ul { display: flex; flex-wrap: wrap; font-size: .9375rem; gap: .25rem 1rem; list-style: none; }
section { background: var(--surface); border: 1px solid var(--line); border-radius: .75rem;
  margin: 0 0 1rem; padding: 1.25rem; }
section > :last-child, figure > :last-child { margin-bottom: 0; }
section h3:not(:first-child) { margin-top: 1.25rem; }
figure h3:first-child { margin-top: 0; }
.tiles { display: grid; gap: .75rem;
  grid-template-columns: repeat(auto-fill, minmax(12.5rem, 1fr)); }
.tiles > div { background: var(--surface); border: 1px solid var(--line); border-radius: .75rem;
  padding: .75rem 1rem; }
.tiles dt { color: var(--muted); font-size: .875rem; font-weight: 600; }
.tiles strong { display: block; font-size: 1.75rem; font-weight: 650; line-height: 1.3; }
.tiles strong, .tiles .span, td, th, dd { font-variant-numeric: tabular-nums; }
.tiles .span { display: block; font-size: .875rem; min-height: 1.3rem; }
.meaning { color: var(--muted); display: block; font-size: .8125rem; line-height: 1.35; }
.pairs { display: grid; gap: .25rem 2rem;
  grid-template-columns: repeat(auto-fill, minmax(min(100%, 17rem), 1fr)); }
.pairs div { display: flex; gap: 1rem; justify-content: space-between; }
.pairs dt { color: var(--muted); }
.pairs dd { overflow-wrap: anywhere; text-align: right; }
.scroll { margin: 0 0 .75rem; max-width: 100%; overflow-x: auto;
  /* A shadow at the side that can be scrolled. */
  background: linear-gradient(to right, var(--surface) 30%, transparent) left / 3rem 100% local,
    linear-gradient(to left, var(--surface) 30%, transparent) right / 3rem 100% local,
    linear-gradient(to right, var(--line), transparent) left / .75rem 100% scroll,
    linear-gradient(to left, var(--line), transparent) right / .75rem 100% scroll;
  background-repeat: no-repeat; }
table { border-collapse: collapse; font-size: .9375rem; width: 100%; }
th, td { border-bottom: 1px solid var(--line); padding: .375rem 1.25rem .375rem 0; text-align: left;
  vertical-align: top; }
th:last-child, td:last-child { padding-right: 0; }
thead th { color: var(--muted); font-size: .875rem; font-weight: 600; vertical-align: bottom; }
tbody th { font-weight: 500; }
tbody tr:last-child > * { border-bottom: 0; }
.number { text-align: right; white-space: nowrap; }
thead .number { white-space: normal; }
.number .interval, .number .span { display: block; margin-left: auto; }
td .span { color: var(--muted); font-size: .8125rem; }
td strong { font-weight: 600; }
td code { font-size: .8125rem; }
.whole { white-space: nowrap; }
.path { overflow-wrap: anywhere; }
table .path { display: inline-block; min-width: min(21rem, 40vw); }
.two { display: grid; gap: 1.5rem;
  grid-template-columns: repeat(auto-fit, minmax(min(100%, 22rem), 1fr)); }
.many { display: grid; gap: 1rem; margin-bottom: .75rem;
  grid-template-columns: repeat(auto-fill, minmax(min(100%, 12rem), 1fr)); }
figure { break-inside: avoid; margin: 0; min-width: 0; }
.many h3 { font-size: .875rem; font-weight: 600; margin: 0; }
.confusion td { border: 0; padding: .75rem .5rem; text-align: center; }
.confusion td strong { display: block; font-size: 1.375rem; }
.confusion td span { color: var(--muted); font-size: .875rem; }
.confusion .right { background: var(--tint); }
.confusion .wrong { background: var(--warm-tint); }
.confusion thead th:not(:first-child) { text-align: center; }
.misses { display: grid; gap: 1rem; list-style: none;
  grid-template-columns: repeat(auto-fill, minmax(min(100%, 14rem), 1fr)); }
.misses li { break-inside: avoid; min-width: 0; }
.misses p { font-size: .875rem; line-height: 1.4; margin: .25rem 0 0; }
.misses .span { color: var(--muted); font-size: .8125rem; }
.sheet { display: grid; gap: .75rem; list-style: none;
  grid-template-columns: repeat(auto-fill, minmax(min(30%, 9rem), 1fr)); }
.sheet li { break-inside: avoid; min-width: 0; }
.sheet img { max-width: 10rem; width: 100%; }
.sheet .span { color: var(--muted); font-size: .8125rem; }
.pair { display: grid; gap: .25rem; grid-auto-columns: 1fr; grid-auto-flow: column; }
.pair:has(img:only-child) { max-width: 10rem; }
img { background: #000; border-radius: .375rem; display: block; height: auto; max-width: 100%; }
.pair img { width: 100%; }
table img { height: 3rem; margin-bottom: .25rem; width: auto; }
details { margin-top: .5rem; }
summary { color: var(--accent); cursor: pointer; font-size: .9375rem; }
details[open] summary { margin-bottom: .5rem; }
.key { border-top: 3px solid var(--accent); display: inline-block; margin: 0 .375rem 0 0;
  vertical-align: .25em; width: 1.5rem; }
.key.train { border-top-color: var(--train); border-top-style: dashed; }
.key.best { border-top: 0; border-left: 2px dotted var(--warm); height: 1rem;
  vertical-align: -.2em; width: .25rem; }
.entry { display: inline-block; margin-right: 1rem; white-space: nowrap; }
svg { display: block; }
svg text { fill: var(--muted); font-size: 12px; font-variant-numeric: tabular-nums; }
svg .label { font-size: 12.5px; }
figcaption { margin-top: .25rem; }
.plot { height: auto; width: 100%; }
.interval { height: 16px; width: 120px; }
.rule { stroke: var(--line); }
.line { fill: none; stroke: var(--accent); stroke-linejoin: round; stroke-width: 2; }
.train.line { stroke: var(--train); stroke-dasharray: 6 4; stroke-width: 1.75; }
.faint.line { opacity: .5; stroke-width: 1.25; }
.band { fill: var(--accent); opacity: .16; }
.chance { stroke: var(--muted); stroke-dasharray: 4 4; }
.best { stroke: var(--warm); stroke-dasharray: 2 3; stroke-width: 1.5; }
.point { fill: var(--accent); stroke: var(--surface); stroke-width: 1.5; }
.whisker { stroke: var(--accent); stroke-linecap: round; stroke-width: 2; }
.bar { fill: var(--bar); }
.track { fill: var(--line); }
footer { color: var(--muted); font-size: .875rem; }
@media (max-width: 40rem) {
  section { padding: 1rem; }
  .tiles { grid-template-columns: 1fr 1fr; }
  .tiles strong { font-size: 1.5rem; }
  .tiles > div { padding: .625rem .75rem; }
  .confusion th { font-size: .8125rem; padding-right: .375rem; }
  .confusion td { padding: .5rem .25rem; }
  .many, .misses { gap: .75rem; grid-template-columns: 1fr 1fr; }
  /* A drawing is scaled down here, and its text with it. */
  .plot text, .plot .label { font-size: 15px; }
  .many .plot text { font-size: 17px; }
  .misses .pair { grid-auto-flow: row; max-width: 10rem; }
}
@media print {
  :root { --ground: #fff; --surface: #fff; --line: #c8ced3; --muted: #444; --text: #000;
    --accent: #0b6e75; --tint: #e3f1f1; --warm: #b04a00; --warm-tint: #fbeee4; --bar: #6aa5aa;
    --train: #7d6b91; }
  html { color-scheme: light; font-size: 10pt; print-color-adjust: exact;
    -webkit-print-color-adjust: exact; }
  body { max-width: none; padding: 0; }
  nav { display: none; }
  details::details-content { block-size: auto; content-visibility: visible; }
  section { border: 0; border-radius: 0; border-top: 1px solid var(--line); padding: .75rem 0; }
  h2, h3 { break-after: avoid; }
  tr, li, .tiles > div, .verdict { break-inside: avoid; }
  .scroll { background: none; overflow: visible; }
  .two { grid-template-columns: 1fr 1fr; }
  table { font-size: 8pt; }
  th, td { padding-right: .75rem; }
  td .span { font-size: 7pt; }
  .number .interval { width: 72px; }
}
""".strip()

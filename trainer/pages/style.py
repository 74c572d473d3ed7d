"""What these pages look like beside what all pages do (`seg_viewer.core.page_style`)."""

from __future__ import annotations

STYLE = """
:root{--one:#0b5fb0;--two:#b04a06;--heat:#9cc8f5;--worse:#a8200d;--better:#0a6b35}
@media (prefers-color-scheme:dark){:root{--one:#7db8ff;--two:#ffa561;--heat:#1d528c;--worse:#ff9b8a;--better:#6fd69b}}
nav{display:flex;flex-wrap:wrap;gap:6px 18px;margin-top:20px}
h3{display:block;margin-top:0}
.charts{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(330px,100%),1fr));gap:16px}
.card+.card,.charts+.card,.card+.charts{margin-top:16px}
.plot{background:var(--card);border:1px solid var(--rule);border-radius:10px;padding:14px 18px 10px;min-width:0;
overflow:visible}
.plot figcaption{padding:0 0 12px;display:flex;flex-wrap:wrap;gap:2px 16px;align-items:center}
.plot figcaption b{flex-basis:100%}
.field{display:grid;grid-template-columns:max-content 1fr;gap:4px 8px}
.field svg{display:block;width:100%;height:150px;overflow:visible}
.up{position:relative;min-width:36px;font-size:12px;line-height:1;color:var(--soft);
font-variant-numeric:tabular-nums}
.up span{position:absolute;right:0;transform:translateY(50%);white-space:nowrap}
.up i{visibility:hidden;font-style:normal;white-space:nowrap}
.key{display:inline-block;width:26px;height:10px;vertical-align:middle;margin-right:6px}
.curve{fill:none;stroke-width:2;vector-effect:non-scaling-stroke;stroke-linejoin:round}
.dot{fill:none;stroke-width:7;stroke-linecap:round;vector-effect:non-scaling-stroke}
.s0{stroke:var(--one)}.s1{stroke:var(--two);stroke-dasharray:6 4}.dot.s1{stroke-dasharray:none;stroke-width:5}
.beside{display:grid;grid-template-columns:minmax(280px,1fr) minmax(300px,1fr);gap:16px;align-items:start}
.beside>*{min-width:0;margin:0!important}.beside+.beside{margin-top:16px}
.shown+h3{margin-top:24px}
.named{white-space:nowrap}.named .chip{vertical-align:-2px;margin-right:8px}
.worse{color:var(--worse)}.better{color:var(--better)}
.heat th,.heat td{border-bottom:1px solid var(--card)}.heat td{text-align:right;padding:7px 10px;
background:color-mix(in srgb,var(--heat) var(--p),transparent)}
.heat thead th{padding-left:10px}
.views{display:grid;grid-template-columns:repeat(4,1fr);gap:1px;background:var(--rule)}
.views div{background:var(--card);font-size:12px;color:var(--soft);min-width:0}
.views img{aspect-ratio:auto}.views span{display:block;padding:3px 8px}
.shown{margin-bottom:16px}.shown figcaption{overflow-wrap:anywhere}
.shown .links a{margin-right:14px}
.legend{display:flex;flex-wrap:wrap;gap:4px 16px;margin-bottom:12px;font-size:14px}
.legend .chip{vertical-align:-2px;margin-right:6px}
.drawing{margin-bottom:16px}.drawing img{max-height:none;background:#fff}
pre{overflow-x:auto;font-size:13px;line-height:1.45;margin:0}summary{cursor:pointer}
@media (max-width:760px){.beside{grid-template-columns:1fr}.views{grid-template-columns:1fr 1fr}}
@media print{.views{grid-template-columns:repeat(4,1fr)}.plot,.shown{break-inside:avoid}nav{display:none}}
"""

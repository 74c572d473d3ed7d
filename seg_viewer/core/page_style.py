"""How reports look: light and dark as the reader's system has it, from a phone to wide screens, and on paper."""

from __future__ import annotations

CSS = """
:root{color-scheme:light dark;--paper:#f6f7f9;--card:#fff;--ink:#16191f;--soft:#565d69;--rule:#dfe3e9;--warn:#fff4d6;
--warnrule:#d9a400;--link:#0a56b3}
@media (prefers-color-scheme:dark){:root{--paper:#14161a;--card:#1d2026;--ink:#eceff3;--soft:#a5adba;--rule:#343a44;
--warn:#3a300f;--warnrule:#c79a1a;--link:#8fc0ff}.line{stroke:color-mix(in srgb,var(--c) 65%,#fff)!important}}
*{box-sizing:border-box}
body{margin:0;background:var(--paper);color:var(--ink);font:16px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,
"Helvetica Neue",Arial,sans-serif}
main{max-width:1200px;margin:0 auto;padding:32px 24px 48px}
h1{font-size:28px;line-height:1.2;margin:0 0 4px;overflow-wrap:anywhere}
h2{font-size:19px;margin:36px 0 12px}
h3{font-size:16px;margin:20px 0 8px;display:flex;gap:8px;align-items:center}
p{margin:0 0 8px}.soft{color:var(--soft)}
.card,.number,figure{background:var(--card);border:1px solid var(--rule);border-radius:10px}
.card{padding:16px 20px}
.numbers{display:grid;grid-template-columns:repeat(auto-fit,minmax(145px,1fr));gap:12px;margin-top:20px}
.number{padding:12px 16px}.number b{display:block;font-size:22px;line-height:1.25;white-space:nowrap;
font-variant-numeric:tabular-nums}
.number span{color:var(--soft);font-size:14px}
.warnings{background:var(--warn);border:1px solid var(--warnrule);border-radius:10px;padding:12px 20px;margin-top:20px}
.warnings ul{margin:4px 0 0;padding-left:20px}.warnings li{overflow-wrap:anywhere}
.chip{display:inline-block;flex:none;width:14px;height:14px;border-radius:4px;border:1px solid rgba(128,128,128,.6)}
.row{display:grid;grid-template-columns:minmax(96px,150px) 1fr 56px;gap:12px;align-items:stretch;margin-bottom:14px}
.row .name{display:flex;gap:8px;align-items:center;overflow-wrap:anywhere;font-size:15px;line-height:1.25}
.scale{display:flex;flex-direction:column;justify-content:space-between;font-size:12px;line-height:1;color:var(--soft);
font-variant-numeric:tabular-nums;white-space:nowrap}
.strip{display:block;width:100%;height:84px;overflow:visible}
.low .strip{height:52px}
.grid{stroke:var(--rule);stroke-width:1;vector-effect:non-scaling-stroke}
.band{fill:var(--c);opacity:.28}.area{fill:var(--c);opacity:.4}
.line{fill:none;stroke:color-mix(in srgb,var(--c) 75%,#000);stroke-width:1.5;vector-effect:non-scaling-stroke}
.axis{position:relative;height:18px;font-size:12px;line-height:18px;color:var(--soft);
font-variant-numeric:tabular-nums}
.axis span{position:absolute;transform:translateX(-50%);white-space:nowrap}
.axis span.first{transform:none}.axis span.last{transform:translateX(-100%)}
.figures{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(205px,100%),1fr));gap:16px}
@media (min-width:900px){.figures{grid-template-columns:repeat(3,1fr)}}
figure{margin:0;overflow:hidden}figure img{display:block;width:100%;height:auto;max-height:420px;object-fit:contain;
background:#000}
figcaption .chip{vertical-align:-2px;margin-right:6px}
figcaption{padding:10px 14px;font-size:14px;line-height:1.4;font-variant-numeric:tabular-nums}
.scroll{overflow-x:auto}
table{border-collapse:collapse;width:100%;font-size:14px;font-variant-numeric:tabular-nums}
th,td{padding:7px 10px 7px 0;text-align:right;border-bottom:1px solid var(--rule);white-space:nowrap}
th{color:var(--soft);font-weight:600;white-space:normal;vertical-align:bottom}th:first-child,td:first-child{text-align:left;white-space:normal}
tbody th{color:inherit;font-weight:400;vertical-align:baseline}
tbody tr:last-child>*{border-bottom:0}td .chip,th .chip{vertical-align:-2px;margin-right:8px}
caption{text-align:left;color:var(--soft);padding-bottom:6px}
caption>div{position:sticky;left:0;max-width:calc(min(100vw,1200px) - 84px)}
a{color:var(--link)}
a:focus-visible,summary:focus-visible,.scroll:focus-visible{outline:2px solid var(--link);outline-offset:2px}
dl{display:grid;grid-template-columns:minmax(110px,max-content) 1fr;gap:6px 20px;margin:0}
dt{color:var(--soft)}dd{margin:0;overflow-wrap:anywhere}
@media (max-width:560px){main{padding:20px 14px 32px}.row{grid-template-columns:1fr 52px}.row .name{grid-column:1/-1}
.row .blank{display:none}}
@media print{:root{color-scheme:light;--paper:#fff;--card:#fff;--ink:#000;--soft:#444;--rule:#ccc;--warn:#fff4d6}
body{font-size:12px;-webkit-print-color-adjust:exact;print-color-adjust:exact}main{max-width:none;padding:0}
.scroll{overflow:visible}table{font-size:11px}th,td{padding:4px 8px 4px 0}
.row,figure,.number,tr,.warnings,table{break-inside:avoid}h2,h3{break-after:avoid}
.figures{grid-template-columns:repeat(3,1fr)}.figures img{max-height:150px}}
"""

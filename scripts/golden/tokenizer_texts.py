"""Texts that tokenizer goldens are made of: sentences and doubtful characters in many scripts, and random code points."""
import random

generator = random.Random(7)

TEXTS = [
    "",
    " ",
    ".",
    "The quick brown fox jumps over the lazy dog.",
    "Crème brûlée à la façon d'Émile, naïve coöperation",
    "Straße, GROẞ, ﬁnance, ǅungla, İstanbul, ıssız",
    "ΟΔΥΣΣΕΥΣ ΣΟΦΟΣ, ὀδυσσεὺς σοφός",
    "Съешь же ещё этих мягких французских булок, да выпей чаю",
    "Київ — столиця України; ґанок, їжак",
    "다람쥐 헌 쳇바퀴에 타고파. 희소 검색은 역색인을 씁니다",
    "한글 자모 한글 and compatibility ㅎㅏㄴ",
    "稀疏检索模型使用倒排索引。中文English混排123",
    "𠀋 𪜀 𫝀 豈 丽 astral and compatibility ideographs",
    "色は匂へど散りぬるを カタカナ ｶﾞｷﾞ が",
    "نَصٌّ حَكِيمٌ لَهُ سِرٌّ قَاطِعٌ ١٢٣ ؟",
    "דג סקרן שט בים מאוכזב ולפתע מצא חברה",
    "ऋषियों को सताने वाले दुष्ट राक्षसों के राजा रावण",
    "เป็นมนุษย์สุดประเสริฐเลิศคุณค่า",
    "emoji 😀 👩‍👩‍👧‍👦 🇰🇷 ❤️ ☎︎ 🏳️‍🌈",
    "def f(x: int) -> str:\n\treturn f\"{x!r}\"  # comment",
    "const a = b?.c ?? [...d].map((e) => e ** 2); // readFileSync",
    "https://example.org/path?q=a%20b&c=d#e user@example.org",
    "tabs\tand\nlines\r\nand\x0bvertical\x0cform\x85next\u2028line\u3000ideographic\u00a0no-break",
    "nul\x00 control\x01\x7f soft\u00adhyphen zero\u200bwidth \ufeffbom replacement\ufffd private\ue000",
    "[CLS] literal [SEP] special [MASK] tokens [UNK][PAD] [cls] <s> </s> <mask>",
    "x" * 99 + " " + "y" * 100 + " " + "z" * 101 + " " + "😀" * 101,
    "e\u0301\u0323\u0304 \u0301alone a\u0301\u200db ñ ñ Å Å",
    "١٢٣ ½ ² ③ Ⅳ 10,000.50 -5 +7 3×4÷2 €5 $6 £7 ¥8",
    "don't can't it's I'm we've they'll you'd 'quoted' “double” «guillemets»",
    "unaffordable misunderstandings antidisestablishmentarianism pneumonoultramicroscopicsilicovolcanoconiosis",
    "a" + " b" * 40,
    "trailing space ",
    "  leading and   inner   spaces",
    "\n\n\nlines\n\n",
]

# Not the marks U+1AC0 and later: of two in a row the native library does not know the canonical order (its tables are older).
BLOCKS = [
    (0x20, 0x7E), (0x20, 0x7E), (0x20, 0x7E), (0x0, 0x1F), (0x7F, 0xFF), (0x100, 0x24F), (0x2B0, 0x36F), (0x370, 0x3FF),
    (0x400, 0x52F), (0x590, 0x5FF), (0x600, 0x6FF), (0x700, 0x8FF), (0x900, 0xDFF), (0xE00, 0xFFF), (0x1000, 0x11FF),
    (0x1E00, 0x1FFF), (0x2000, 0x206F), (0x20A0, 0x2BFF), (0x2E00, 0x303F), (0x3040, 0x31FF), (0x3400, 0x9FFF), (0xA490, 0xABFF),
    (0xAC00, 0xD7A3), (0xF900, 0xFFFD), (0x10000, 0x11FFF), (0x16000, 0x1F9FF), (0x20000, 0x2FA1F), (0xE0000, 0xE01FF),
]


def random_text(blocks: int, length: int) -> str:
    chosen = [(0x20, 0x20), *generator.choices(BLOCKS, k=blocks)]
    return "".join(chr(generator.randint(*generator.choice(chosen))) for _ in range(length))


def shuffled(count: int) -> list[str]:
    """Texts of words from all the sentences, some glued together."""
    words = [word for text in TEXTS for word in text.split(" ")]
    return ["".join(word + generator.choice(["", " ", " ", " "]) for word in generator.choices(words, k=12)) for _ in range(count)]

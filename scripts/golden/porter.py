"""Makes test/fixtures/goldens/porter.tsv: words and their stems by the Porter stemmer as published in 1980.

Run by hand: python scripts/golden/porter.py > test/fixtures/goldens/porter.tsv
Versions: Python 3.11, nltk 3.10.4 (PorterStemmer, mode ORIGINAL_ALGORITHM); compared with PyStemmer 3.1.0 ('porter'),
whose list of double consonants is shorter than the paper's: it differs for "snowwed" (snow by the paper, snoww by it).
Words are roots joined with endings, sense or none, so that every rule is met with its condition holding and failing.
"""

import random
import sys

import Stemmer
from nltk.stem.porter import PorterStemmer

ROOTS = """adjust activ agr angul argu beauti bl cat commun condit conflat connect control decis defin depend digit effect
electr elev fall feud fil fizz form formal gener gyr hesit hiss homolog hop hopeful irrit motor operat oscill plast
play pony predic probat radic rat relat replac reviv roll sens sensit siz sky snow soci str tan troubl try vale viet
vil wail whitt xyl yell""".split()

ENDINGS = """ational tional enci anci izer abli alli entli eli ousli ization ation ator alism iveness fulness ousness
aliti iviti biliti icate ative alize iciti ical ful ness al ance ence er ic able ible ant ement ment ent sion tion ou
ism ate iti ous ive ize s ss sses ies eed ed ing ated bling izing y ey e ee ll lle ly nning lling wed xing yed""".split()

EXTRA = """caresses ponies ties caress cats feed agreed plastered bled motoring sing conflated troubled sized hopping
tanned falling hissing fizzed failing filing happy sky relational conditional rational valenci hesitanci digitizer
conformabli radicalli differentli vileli analogousli vietnamization predication operator feudalism decisiveness
hopefulness callousness formaliti sensitiviti sensibiliti triplicate formative formalize electriciti electrical hopeful
goodness revival allowance inference airliner gyroscopic adjustable defensible irritant replacement adjustment dependent
adoption homologou communism activate angulariti homologous effective bowdlerize probate rate cease controll roll
syzygy yoyo eyes dying day flies queue aaa bbb yyy ion ing ings eed sss""".split()


def main():
    choose = random.Random(1980)
    pairs = [root + ending for root in ROOTS for ending in ENDINGS]
    words = sorted(set(EXTRA) | set(choose.sample(pairs, 600)))
    original = PorterStemmer(mode=PorterStemmer.ORIGINAL_ALGORITHM)
    snowball = Stemmer.Stemmer("porter")
    for word in words:
        stem = original.stem(word)
        if stem != snowball.stemWord(word):
            print(f"differs: {word} {stem} {snowball.stemWord(word)}", file=sys.stderr)
        print(f"{word}\t{stem}")


main()

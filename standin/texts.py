"""The texts users write: everyday ones, and those that break tables, pages and parsers."""

from __future__ import annotations

NASTY = [
    "tab\there and\tthere",
    "first line\nsecond line",
    "carriage\rreturn alone",
    "windows line\r\nbreak",
    'a "quoted" name, with comma',
    "🦀 red crab 🦑 squid 👩‍👩‍👧",
    "=SUM(A1:A9)",
    "+351 912 000 000",
    "@cmd",
    "-1+1",
    "NA",
    "null",
    "nan",
    "<script>alert('x')</script>",
    "<b>bold</b> & &amp; entities",
    "back\\slash \\n not a newline",
    "line\u2028separator and zero\u200bwidth",
    "cafe\u0301 decomposed",
    "  spaces around  ",
    "",
    "'single quotes'",
    "עברית right to left",
    "1e5",
    "a;b|c",
]
GUESSES = ["Gull", "Gaivota", "polvo", "Sea slug", "Starfish", "estrela-do-mar", "Blenny?", "Sargo", "roaz"]
PLAIN = [
    "Low tide, on the rocks.",
    "At 12 m depth, under an overhang.",
    "Three together, one juvenile.",
    "Found by the kids in a tidepool.",
    "Água a 16 °C, visibilidade fraca.",
    "Washed ashore after the storm.",
]
SPOTS = ["Portinho da Arrábida, Setúbal, PT", "Sesimbra, Portugal", "Cabo Espichel", "Figueirinha", ""]
BODIES = [
    "Agree.",
    "I think the dorsal fin rules this out, see the key of the regional checklist.",
    None,
    "Nice find!",
    "Compare with the other one you posted last week.\nThe tentacles are longer here.",
    None,
]
TAGS = ["intertidal", "snorkel", "night dive", "bio blitz 2019", "depth:12m"]

"""Tells a pasted letter or report from what a patient says, and the patient's own words around it. Pure.

What a letter finds is asked about, never taken for what the patient feels right now. So a text counts as a letter only
when several different kinds of marks say so, and words in a patient's own voice weigh against it.
"""

from __future__ import annotations

import re

SHORTEST = {4: 150, 3: 300}
"""Characters a text must have to be a letter, by how many kinds of marks it shows."""
SHORTEST_EXPECTED = {2: 120}
"""The same when a letter was asked for, or this may be its next part."""
SHORTEST_ANNOUNCED = {2: 60}
"""The same for what stands behind "here is my report:"."""

_ANNOUNCED = re.compile(
    r"^\W*(?:(?:here(?:['’]?s| is| are)|this is|below is)\b[^:\n]{0,60}\b(?:report|letter|results?|findings|scan|mri|says?)\b[^:\n]{0,30}"
    r"|(?:my |the )?(?:mri|ct|x-?ray|scan|radiology|spine)\b[^:\n]{0,30}\b(?:report|results?)\b[^:\n]{0,30}"
    r"|(?:my |the )?(?:report|letter|mri|scan)(?: report)? says)[ \t]*[:\n]",
    re.IGNORECASE,
)

_MARKS = [
    re.compile(pattern, re.IGNORECASE | re.MULTILINE)
    for pattern in (
        # how letters begin and end
        r"^\W*(?:dear|to|re|hi|hello|subject|from|patient|claim|case|member)\b[: ,]|\b(?:yours (?:sincerely|faithfully|truly)|(?:kind|best|warm) (?:regards|wishes)|"
        r"many thanks for|thank you for (?:refer|ask|see|your|attend|the opport)\w*|dictated|typed|signed by|reported by)\b",
        # what identifies patient and writer
        r"\b(?:d\.?o\.?b|date of birth|mrn|hospital (?:no|number)|nhs (?:no|number)|member id|accession|consultant|"
        r"radiolog\w+|neurosurg\w+|orthopa?edic\w*|physiotherapist|m\.?d\b|frcs|gmc)\b",
        # headings
        r"^[\W\d]*(?:findings|impression|conclusions?|opinion|technique|comparison|clinical (?:history|details|indication)|"
        r"history|indication|diagnos[ie]s|assessment|plan|recommendations?|examination|objective|subjective|imaging|summary|"
        r"outcome|procedures?|request\w*|rationale|treatment|imp|adv|hpi|pmh|o/e|c/o|operation|determination|service)\b[^\n:.]{0,30}(?:[:.-]|$)",
        # a person seen from outside
        r"\b(?:this|the) (?:\d\d|very|lovely|pleasant|gentle|lady|man|woman|patient|examinee|claimant)\b|\b\d\d[- ]?(?:y(?:ea)?r?[- ]?)"
        r"s?[- ]?(?:old|o)?\b|\b(?:he|she|the patient|pt) (?:has|had|is|was|presents?|reports?|denies|underwent|describes|gives|told)\b",
        # a doctor to a patient
        r"\b(?:your (?:symptoms?|scans?|mri|x-?rays?|examination|reflexes|strength|spine|spinal|records|neck|back|leg|legs|hand|condition)|you (?:have|had|told me|were|"
        r"described|would benefit)|i (?:examined|reviewed|would (?:recommend|advise|suggest|not)|explained|recommend|advise))\b",
        # what is examined
        r"\b(?:on examination|power (?:is|was|5|4|3)|reflex\w*|straight leg rais\w*|slr\b|slrt|sensation|neurologically|clonus|plantars|"
        r"[0-5]/5|dermatom\w*|antalgic|gait|spurling\w*|hoffmann?\w*|intact)\b",
        # what pictures show
        r"\b(?:sagittal|axial|t[12][- ]weighted|stenosis|foramin\w+|protrusion|herniat\w+|prolapse|osteophyt\w+|\w*listhesis|"
        r"degenerati\w+|thecal|radiculopath\w+|vertebra\w*|desiccat\w+|compression|facet\w*)\b",
        # what was tried or is offered
        r"\b(?:physio\w*|physical therapy|sessions|injections?|epidurals?|home exercise|range of (?:motion|movement)|tolerated|discharged?|"
        r"referred|reviewed|waiting list|surgeon|theatre)\b",
        # levels, operations, doses
        r"\b[CTL]\d{1,2} ?[-/] ?[CTLS]?\d\b",
        r"\b(?:\d+ ?mg|decompression|laminectomy|\w*dis[ck]ectomy|fusion|acdf|[tpa]lif|bilateral\w*|postoperativ\w*)\b",
    )
]
_OWN = re.compile(
    r"\b(?:my (?:(?:low(?:er)? |left |right |own |first |second |whole )*(?:back|legs?|neck|foot|feet|arms?|hands?|bum|bottom|bladder|bowels?|"
    r"pain|privates|groin|toes?|knees?|head|chest|surgeon|doctor|gp|consultant|specialist|husband|wife|mum|mom|mother|dad|father|"
    r"son|daughter|brother|sister|partner|uncle|aunt|scan|mri|operation|symptoms|letter|report|job|life))|i(?:'m|’m| am (?:\d|so|scared|very|in|not sure|really|a)| feel| felt| hurt| wet| need to| keep| just| can'?t| can’t| couldn'?t| don'?t know|"
    r" don’t know| have (?:been|had|no|a|to|pain)|'ve|’ve| had| got| want| woke| lost)\b|"
    r"(?:can|could|will|would) you (?:please )?(?:explain|tell|read|help|look)|what does|what do|should i|do i|"
    r"please (?:help|explain|tell|read|look)|(?:dad|mum|mom|nan|gran|granny|grandad)\b|i['’]?d like to (?:know|ask)|sorry (?:to|for) go|here is|this is (?:the|my|what))",
    re.IGNORECASE,
)
# A surgeon says "I" too: these are no patient's words.
_WRITER = re.compile(
    r"\b(?:i (?:was|am) (?:asked|pleased|grateful|not convinced|happy|sorry|delighted|writing|of the|going to|concerned)|i need to see|"
    r"asking me|telling me|tells me|told me|for asking me|see me|contact me|i had the|i have (?:a|been|had) (?:asked|long|look|discuss\w*|review)|"
    r"i feel (?:that|this|it|s?he)|i also (?:note|explain|discuss|review|advis)\w*)\b",
    re.IGNORECASE,
)
# No letter asks what it costs: "Would you be able to see her?" is asked of a colleague, these are asked of us.
_ASKED = re.compile(
    r"\b(?:how (?:do|does|can|could|should|much|long|soon|far|bad|serious)|what (?:do|does|is|are|if|should|would|will|can|happens)|"
    r"(?:do|does|should|can|could|will|must|may|is|are|has|have) (?:i|we|she|he|they|it|this|that|these|my|her|his)|why|where)\b"
    r".*\?$|\bhow (?:(?:do|does|can|should) (?:i|we|she|he)|(?:much|long) (?:do|does|is|will))\b",
    re.IGNORECASE,
)
_SENTENCE = re.compile(r"[^.!?\n]+[.!?]*")


def is_letter(text: str, *, expected: bool = False) -> bool:
    """Return whether ``text`` is a letter or report. ``expected``: one was asked for, or this may be its next part."""
    needed = SHORTEST | SHORTEST_EXPECTED if expected else SHORTEST
    if announced := _ANNOUNCED.match(text):
        text, needed = text[announced.end() :], SHORTEST | SHORTEST_ANNOUNCED
    if len(text) < min(needed.values()):
        return False
    marks = sum(bool(pattern.search(text)) for pattern in _MARKS)
    enough = any(marks >= kinds and len(text) >= shortest for kinds, shortest in needed.items())
    return enough and 2 * len(_own(text)) <= marks


def own_words(text: str) -> str:
    """The sentences in which a patient speaks, of a text that holds a letter; "" when there are none."""
    return " ".join(_own(text))


def _own(text: str) -> list[str]:
    sentences = (match.group().strip() for match in _SENTENCE.finditer(text))
    return [sentence for sentence in sentences if _ASKED.search(sentence) or _OWN.search(_WRITER.sub(" ", sentence))]

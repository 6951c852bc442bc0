"""What is left open, put off, pointed to or taken back is told so; what only looks alike is not."""

from __future__ import annotations

import pytest

from tests.explain.advice import advice_in, told

# What the letter says, the stance, the operations, the levels.
SAID = {
    "which of two is meant": [
        (
            "The options are L4/5 microdiscectomy versus decompression and fusion. I favour the former.",
            "operate",
            "microdiscectomy",
            "L4-L5",
        ),
        (
            "ACDF C5/6 versus disc replacement and foraminotomy; I favour the latter.",
            "operate",
            "disc_replacement foraminotomy",
            "C5-C6",
        ),
        (
            "We discussed decompression alone versus decompression and fusion at L4/5. I would favour the latter.",
            "operate",
            "decompression fusion",
            "L4-L5",
        ),
        ("Of ACDF and disc replacement at C5/6 I would prefer the latter.", "operate", "disc_replacement", "C5-C6"),
        (
            "Of ACDF and disc replacement at C5/6 I would not recommend the latter.",
            "no_operation",
            "disc_replacement",
            "C5-C6",
        ),
        ("Physiotherapy versus fusion at L4/5: I favour the former.", "non_surgical", "fusion", "L4-L5"),
        (
            "The former pain has gone. I recommend L4/5 decompression and fusion.",
            "operate",
            "decompression fusion",
            "L4-L5",
        ),
        ("She had an L4/5 fusion in the latter part of 2019. Today she is well.", "done", "fusion", "L4-L5"),
        (
            "An ACDF and a foraminotomy at C6/7 are both sensible, and I have no preference.",
            "conditional",
            "acdf foraminotomy",
            "C6-C7",
        ),
        ("Both legs are sensible to touch. I recommend L4/5 decompression.", "operate", "decompression", "L4-L5"),
    ],
    "one part left open": [
        ("Plan: L4/5 decompression +/- fusion.", "operate", "decompression", "L4-L5"),
        ("Plan: L4/5 decompression, possible fusion.", "operate", "decompression", "L4-L5"),
        ("Plan: L4/5 decompression and may need fusion.", "operate", "decompression", "L4-L5"),
        ("I recommend L4/5 laminectomy with or without fusion.", "operate", "laminectomy", "L4-L5"),
        ("Plan: L4/5 decompression, fusion only if unstable.", "operate", "decompression", "L4-L5"),
        (
            "I would offer a L4/5 decompression, and possibly a fusion if there is instability.",
            "operate",
            "decompression",
            "L4-L5",
        ),
        ("Plan: possible L4/5 fusion.", "conditional", "fusion", "L4-L5"),
        ("Plan: L4/5 decompression + fusion.", "operate", "decompression fusion", "L4-L5"),
        (
            "I recommend L4/5 decompression and fusion as soon as possible.",
            "operate",
            "decompression fusion",
            "L4-L5",
        ),
        (
            "Plan: decompression and fusion L4/5 if physiotherapy fails.",
            "non_surgical",
            "decompression fusion",
            "L4-L5",
        ),
    ],
    "care before it": [
        ("I suggested fusion at L4/5; however physiotherapy first.", "non_surgical", "fusion", "L4-L5"),
        ("I suggested L4/5 fusion. However, we will try physiotherapy first.", "non_surgical", "fusion", "L4-L5"),
        ("I offered an L4/5 fusion but she would like to try physiotherapy first.", "non_surgical", "fusion", "L4-L5"),
        ("I recommend L4/5 decompression; physiotherapy should follow.", "operate", "decompression", "L4-L5"),
        ("I recommend L4/5 decompression; however physiotherapy first failed.", "operate", "decompression", "L4-L5"),
        (
            "I recommend an L4/5 decompression. However, she should stop smoking first.",
            "operate",
            "decompression",
            "L4-L5",
        ),
        (
            "I recommend an L4/5 decompression. He should continue physiotherapy in the meantime.",
            "operate",
            "decompression",
            "L4-L5",
        ),
    ],
    "in a form": [
        (
            "Diagnosis: L4/5 stenosis.\nConsent: L4/5 decompression. Risks: infection, bleeding.",
            "operate",
            "decompression",
            "L4-L5",
        ),
        (
            "Diagnosis: L4/5 stenosis.\nConsent: L4/5 decompression, risks infection, bleeding.",
            "operate",
            "decompression",
            "L4-L5",
        ),
        (
            "Diagnosis: L4/5 stenosis. Plan: physio.\nConsent: risks of fusion explained, infection.",
            "non_surgical",
            "",
            "",
        ),
        ("Diagnosis: L4/5 stenosis.\nOP: L4/5 decompression", "operate", "decompression", "L4-L5"),
        ("Diagnosis: L4/5 stenosis.\nOp: L4/5 decompression 2019", "done", "decompression", "L4-L5"),
    ],
    "whose advice": [
        ("The L4/5 TLIF is what I would recommend, too, as Dr Roe does.", "operate", "tlif", "L4-L5"),
        (
            "Previous advice (Dr Roe): fusion T10-S1. I recommend an L4/5 foraminotomy.",
            "operate",
            "foraminotomy",
            "L4-L5",
        ),
        (
            "You asked for my opinion after Mr Roe put you down for a microdiscectomy at L4/5. It is too early.",
            "no_operation",
            "microdiscectomy",
            "L4-L5",
        ),
        ("I have no objection to the L4/5 decompression.", "operate", "decompression", "L4-L5"),
        ("It would not be unreasonable to do an L4/5 decompression.", "operate", "decompression", "L4-L5"),
        (
            "He came hoping for an L4/5 fusion. I would not be inclined to offer him that.",
            "no_operation",
            "fusion",
            "L4-L5",
        ),
    ],
    "taken back or put off": [
        ("I have discouraged her from having the L4/5 fusion.", "no_operation", "fusion", "L4-L5"),
        ("The scan has changed my mind: I no longer advise the L4/5 fusion.", "no_operation", "fusion", "L4-L5"),
        ("Operation was discussed but not advised.", "no_operation", "", ""),
        ("Next step would be L4/5 fusion, but I am reluctant.", "no_operation", "fusion", "L4-L5"),
        ("I offered L4/5 decompression which she politely declined.", "no_operation", "decompression", "L4-L5"),
        ("I have taken her off the list for L4/5 decompression.", "no_operation", "decompression", "L4-L5"),
        ("L4/5 decompression postponed as he is improving.", "conditional", "decompression", "L4-L5"),
        ("Surgery should not be delayed: L4/5 decompression.", "operate", "decompression", "L4-L5"),
        (
            "Last year I recommended L4/5 fusion. She has got better and I suggest we leave it.",
            "non_surgical",
            "",
            "",
        ),
        (
            "I previously advised against surgery but now recommend L4/5 decompression.",
            "operate",
            "decompression",
            "L4-L5",
        ),
        (
            "Mr Roe told her that she needs an L4/5 fusion; I do not share his view.",
            "no_operation",
            "fusion",
            "L4-L5",
        ),
        ("Mr Roe told her that she needs an L4/5 fusion; I share his view.", "operate", "fusion", "L4-L5"),
    ],
    "for whom and by whom": [
        ("Neither Dr Roe nor I think that an L4/5 TLIF will help.", "no_operation", "tlif", "L4-L5"),
        ("Dr Roe and I both think that an L4/5 TLIF will help.", "operate", "tlif", "L4-L5"),
        ("Mr Roe has booked an L4/5 fusion. I would cancel it.", "no_operation", "fusion", "L4-L5"),
        ("I cannot back Mr Roe's plan for L4/5 fusion.", "no_operation", "fusion", "L4-L5"),
        ("I would back Mr Roe's plan for L4/5 fusion.", "operate", "fusion", "L4-L5"),
        ("Mr Roe favours L4/5 decompression, and so do I.", "operate", "decompression", "L4-L5"),
        ("The family are against the L4/5 fusion and so am I.", "no_operation", "fusion", "L4-L5"),
        ("The family are against the L4/5 fusion but I think he needs it.", "operate", "fusion", "L4-L5"),
        ("I am not against the L4/5 fusion.", "operate", "fusion", "L4-L5"),
        ("He is not fit for L4/5 decompression.", "no_operation", "decompression", "L4-L5"),
        ("Please could you see her with a view to L4/5 decompression.", "conditional", "decompression", "L4-L5"),
        ("I was asked if she needs L4/5 fusion. The short answer is no.", "no_operation", "fusion", "L4-L5"),
        ("I was asked if she needs L4/5 fusion. The short answer is yes.", "operate", "fusion", "L4-L5"),
    ],
    "one yes, one no": [
        ("Decompression L4/5 yes, fusion no.", "operate", "decompression", "L4-L5"),
        ("Yes to decompression at L4/5, no to the fusion.", "operate", "decompression", "L4-L5"),
        ("Fusion is not needed but decompression at L4/5 is.", "operate", "decompression", "L4-L5"),
        ("I would not add a fusion to the L4/5 decompression.", "operate", "decompression", "L4-L5"),
        (
            "I differ from Mr Roe, who suggested fusion: an L4/5 decompression is all that is required.",
            "operate",
            "decompression",
            "L4-L5",
        ),
        (
            "Option 1: physiotherapy. Option 2: L4/5 fusion. I recommend option 1.",
            "non_surgical",
            "fusion",
            "L4-L5",
        ),
        (
            "There are two ways forward: physiotherapy or an L4/5 fusion. I recommend the first.",
            "non_surgical",
            "fusion",
            "L4-L5",
        ),
    ],
    "under a condition": [
        ("The choice is yours: L4/5 decompression or another injection.", "conditional", "decompression", "L4-L5"),
        ("If stable, no fusion; if unstable, L4/5 fusion.", "conditional", "fusion", "L4-L5"),
        (
            "An epidural is planned. Should that not help we will proceed to L5/S1 microdiscectomy.",
            "non_surgical",
            "microdiscectomy",
            "L5-S1",
        ),
        ("If it were my back I would have the L4/5 decompression.", "operate", "decompression", "L4-L5"),
        ("Even if it grew I would not advise an L4/5 fusion.", "no_operation", "fusion", "L4-L5"),
    ],
    "in other words": [
        ("The disc at L5/S1 should come out.", "operate", "discectomy", "L5-S1"),
        ("The screws should come out.", "operate", "hardware_removal", ""),
        ("The disc at L4/5 has come out of place and settled.", "none", "", ""),
        (
            "A C3 to C6 laminoplasty is the operation I would choose for him.",
            "operate",
            "laminoplasty",
            "C3-C6",
        ),
        ("He is coming in on 3 May for L4/5 decompression.", "operate", "decompression", "L4-L5"),
        ("He came in for an L4/5 decompression in 2019 and is well.", "done", "decompression", "L4-L5"),
        ("Following discussion we will move to L5/S1 microdiscectomy.", "operate", "microdiscectomy", "L5-S1"),
        ("He has elected for L4/5 microdiscectomy.", "operate", "microdiscectomy", "L4-L5"),
        ("She needs her L1 fracture cemented.", "operate", "vertebroplasty", "L1"),
        ("I propose to straighten and fix the spine from T4 to L2.", "operate", "deformity_correction", "T4-L2"),
        ("History: back pain, no prior surgery. L4/5 disc bulge.", "none", "", ""),
        ("She never had an operation. L4/5 disc bulge.", "none", "", ""),
    ],
}
CASES = [(about, *case) for about, cases in SAID.items() for case in cases]


@pytest.mark.parametrize(("about", "said", "stance", "operations", "levels"), CASES)
def test_what_is_recommended(about: str, said: str, stance: str, operations: str, levels: str) -> None:
    assert told(advice_in(said)) == (stance, sorted(operations.split()), sorted(levels.split())), about

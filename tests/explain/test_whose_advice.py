"""Whose advice it is: the letter's own or somebody else's, given now or put off, asked about and answered."""

from __future__ import annotations

import pytest

from tests.explain.advice import advice_in, told

# What the letter says, the stance, the operations, the levels.
SAID = {
    "a question the letter answers": [
        ("Does she need an L4/5 fusion? I think not.", "no_operation", "fusion", "L4-L5"),
        ("Would a fusion at L4/5 help him? I doubt it.", "no_operation", "fusion", "L4-L5"),
        ("Is a microdiscectomy at L5/S1 necessary? Not in my view.", "no_operation", "microdiscectomy", "L5-S1"),
        ("Should she have the L4/5 TLIF? I do not believe so.", "no_operation", "tlif", "L4-L5"),
        ("Is there a place for disc replacement at C5/6? Probably not.", "no_operation", "disc_replacement", "C5-C6"),
        ("Does he need an ACDF at C6/7? In my opinion, yes.", "operate", "acdf", "C6-C7"),
        (
            "Is an L3/4 laminectomy worth doing here? I think so, because she can hardly walk.",
            "operate",
            "laminectomy",
            "L3-L4",
        ),
        ("Does she need surgery? I think not. Physiotherapy is the way forward.", "no_operation", "", ""),
        (
            "Has he had a fusion at L4/5? No. I recommend an L4/5 microdiscectomy.",
            "operate",
            "microdiscectomy",
            "L4-L5",
        ),
        (
            "What is a fusion? It joins two bones. I recommend an L4/5 decompression.",
            "operate",
            "decompression",
            "L4-L5",
        ),
    ],
    "put off": [
        (
            "Surgery deferred. An L4/5 TLIF was planned. She should lose weight and go on with physiotherapy.",
            "non_surgical",
            "tlif",
            "L4-L5",
        ),
        (
            "L4/5 TLIF was planned for May. This is now on hold until her heart is treated. Continue physiotherapy.",
            "non_surgical",
            "tlif",
            "L4-L5",
        ),
        (
            "We have put off the L4/5 decompression for the time being. She continues with exercises.",
            "non_surgical",
            "decompression",
            "L4-L5",
        ),
        (
            "Surgery postponed for three months to allow her to stop smoking. Planned operation was ACDF C5/6. Physiotherapy meanwhile.",
            "non_surgical",
            "acdf",
            "C5-C6",
        ),
        (
            "Her ACDF at C5/6, booked for June, has been cancelled for now because of her sugar. It will be rebooked when this is under control. Physiotherapy in the meantime.",
            "non_surgical",
            "acdf",
            "C5-C6",
        ),
        ("The L4/5 laminectomy should not be deferred any longer.", "operate", "laminectomy", "L4-L5"),
        ("She was deferred from flying. I recommend an L4/5 laminectomy.", "operate", "laminectomy", "L4-L5"),
        (
            "Her L4/5 laminectomy was postponed in March because of flu. It will now go ahead on 4 May.",
            "operate",
            "laminectomy",
            "L4-L5",
        ),
    ],
    "whose plan it is": [
        (
            "She was seen at the General Hospital and listed for an L4/5 fusion. I would not do this; I advise physiotherapy.",
            "no_operation",
            "fusion",
            "L4-L5",
        ),
        (
            "Another surgeon said she should have an L4/5 fusion. I disagree and would carry on with physiotherapy.",
            "no_operation",
            "fusion",
            "L4-L5",
        ),
        (
            "You have kindly listed her for an ACDF at C5/6. I think this should wait until the nerve tests are back.",
            "no_operation",
            "acdf",
            "C5-C6",
        ),
        (
            "The private team told her that only a fusion at L4/5 would do. I see nothing on her scan that would need one.",
            "no_operation",
            "fusion",
            "L4-L5",
        ),
        (
            "One surgeon said ACDF at C5/6, the other said disc replacement. I cannot say which of them is right.",
            "conditional",
            "acdf disc_replacement",
            "C5-C6",
        ),
        (
            "The spinal team at the district hospital says a laminectomy at L4/5, the private clinic says a fusion. I am at a loss which it should be.",
            "conditional",
            "laminectomy fusion",
            "L4-L5",
        ),
        (
            "Treatment advised elsewhere: L4/5 TLIF.\n\nOur opinion: physiotherapy for three months. TLIF is not needed at present.",
            "no_operation",
            "tlif",
            "L4-L5",
        ),
        (
            "Proposed by first surgeon: ACDF C5/6.\n\nMy recommendation: foraminotomy C5/6.",
            "operate",
            "foraminotomy",
            "C5-C6",
        ),
        (
            "He went to a clinic abroad and was booked for a laser operation at L4/5. I told him there is nothing for the laser to do.",
            "operate",
            "",
            "L4-L5",
        ),
        ("She was seen in my clinic and listed for an L4/5 microdiscectomy.", "operate", "microdiscectomy", "L4-L5"),
        ("The team felt that an L4/5 decompression was the right operation.", "operate", "decompression", "L4-L5"),
        (
            "I have told her that I agree with the hospital: an L4/5 decompression is needed.",
            "operate",
            "decompression",
            "L4-L5",
        ),
    ],
    "no reason for it": [
        (
            "I do not share the view that she needs a fusion at L4/5. A decompression there would be enough.",
            "operate",
            "decompression",
            "L4-L5",
        ),
        ("I am not of the opinion that a fusion at L4/5 is called for.", "no_operation", "fusion", "L4-L5"),
        ("Nothing I have seen makes me think that he needs a fusion at L4/5.", "no_operation", "fusion", "L4-L5"),
        ("There is nothing on the scan that calls for an L4/5 fusion.", "no_operation", "fusion", "L4-L5"),
        ("I struggle to see what a fusion at L4/5 would do for her.", "no_operation", "fusion", "L4-L5"),
        (
            "I would counsel caution about the L4/5 fusion; it is a big operation for a small problem.",
            "no_operation",
            "fusion",
            "L4-L5",
        ),
        ("A stiffening operation of L4/5 is not to be endorsed.", "no_operation", "fusion", "L4-L5"),
        ("From our side there is no indication for spondylodesis L4/5.", "no_operation", "fusion", "L4-L5"),
    ],
    "kept for later": [
        (
            "We would keep an L5/S1 microdiscectomy up our sleeve. Physiotherapy for now.",
            "non_surgical",
            "microdiscectomy",
            "L5-S1",
        ),
        (
            "An L5/S1 microdiscectomy stays on the table if the injection does not work. Injection booked.",
            "non_surgical",
            "microdiscectomy",
            "L5-S1",
        ),
        (
            "Let the injection do its work first. Microdiscectomy at L5/S1 only as plan B.",
            "non_surgical",
            "microdiscectomy",
            "L5-S1",
        ),
        (
            "We can always come back to the idea of an L4/5 fusion later. For now a strength programme.",
            "non_surgical",
            "fusion",
            "L4-L5",
        ),
    ],
}
CASES = [(about, *case) for about, cases in SAID.items() for case in cases]


@pytest.mark.parametrize(("about", "said", "stance", "operations", "levels"), CASES)
def test_what_is_recommended(about: str, said: str, stance: str, operations: str, levels: str) -> None:
    assert told(advice_in(said)) == (stance, sorted(operations.split()), sorted(levels.split())), about


def test_what_only_somebody_else_advises_is_told_as_theirs() -> None:
    said = "He went to a clinic abroad and was booked for a fusion at L4/5. His pain has not changed since."
    assert advice_in(said).reported


SHORT = [
    "plan: L4/5 PLIF",
    "Plan for a spinal cord stimulator trial.",
    "A/P: MIS TLIF L5-S1",
    "For T12 kyphoplasty.",
    "W/L right L4/5 microdiscectomy.",
    "ACDF C5/6 planned.",
]


@pytest.mark.parametrize("line", SHORT)
def test_a_plan_of_one_line_is_told_without_a_doubt(line: str) -> None:
    advice = advice_in(line)
    assert advice.stance == "operate"
    assert advice.sure

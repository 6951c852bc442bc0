"""Levels and operations as patients write them, with look-alikes that are neither."""

import pytest

from actions.spine_terms import find_levels, find_procedures


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("L4/5 fusion", ["L4-L5"]),
        ("l4-l5", ["L4-L5"]),
        ("it was l4 l5", ["L4-L5"]),
        ("L4L5 disc", ["L4-L5"]),
        ("lumbar 4/5", ["L4-L5"]),
        ("L4 and L5", ["L4-L5"]),
        ("L four to L five", ["L4-L5"]),
        ("l5s1 bulge", ["L5-S1"]),
        ("L5/1", ["L5-S1"]),
        ("L5-S1 TLIF", ["L5-S1"]),
        ("acdf c5-c7", ["C5-C7"]),
        ("C5/6/7", ["C5-C7"]),
        ("C5-6 and C6-7", ["C5-C6", "C6-C7"]),
        ("from T10 down to L2", ["T10-L2"]),
        ("D12/L1", ["T12-L1"]),
        ("L5/L4", ["L4-L5"]),
        ("just my L5", ["L5"]),
        ("L3-5 and then L3-5 again", ["L3-L5"]),
        ("T2-weighted images", []),
        ("T1 weighted and T2 signal", []),
        ("L9 fusion", []),
        ("pain is 4/5", []),
        ("5/10 most days", []),
        ("since 2019", []),
        ("my s3 phone", ["S3"]),
        ("call me at 4 to 5", []),
        ("grade 1 slip", []),
    ],
)
def test_levels(text: str, names: list[str]) -> None:
    assert [level.name for level in find_levels(text)] == names


def test_a_range_gives_its_disc_levels() -> None:
    assert find_levels("C5-C7")[0].segments == ("C5-C6", "C6-C7")
    assert find_levels("L4/5")[0].region == "low"


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("L4/5 fusion", ["fusion"]),
        ("acdf c5-c7", ["acdf"]),
        ("an anterior cervical discectomy and fusion", ["acdf"]),
        ("TLIF fusion", ["tlif"]),
        ("minimally invasive TLIF at L5/S1", ["tlif"]),
        ("laminectomy and fusion", ["laminectomy", "fusion"]),
        ("lamenectomy", ["laminectomy"]),
        ("laminectemy", ["laminectomy"]),
        ("micro-discectomy", ["microdiscectomy"]),
        ("microdisectomy", ["microdiscectomy"]),
        ("diskectomy L5 S1", ["discectomy"]),
        ("decompresion", ["decompression"]),
        ("they want to fuse my back", ["fusion"]),
        ("artificial disc in my neck", ["disc_replacement"]),
        ("take out the screws", ["hardware_removal"]),
        ("spinal cord stimulator trial", ["stimulator"]),
        ("two epidural injections and an RFA", ["epidural", "ablation"]),
        ("XLIF", ["llif"]),
        ("nerve compression", []),
        ("some confusion about this", []),
        ("an iron infusion", []),
        ("I have depression", []),
        ("no idea what it is called", []),
        ("a blood transfusion", []),
    ],
)
def test_procedures(text: str, ids: list[str]) -> None:
    assert [found.procedure.id for found in find_procedures(text)] == ids

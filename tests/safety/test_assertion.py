"""Whether a finding counts: one table a kind of excuse, look-alikes that do count beside those that do not."""

from __future__ import annotations

import pytest

from safety.detect import assess, detect, detector

DENIED = [
    "no numbness, bladder fine",
    "no numbness, weakness or bladder problems",
    "i dont have any numbness between my legs",
    "never had trouble peeing",
    "denies saddle anaesthesia, fever or weight loss",
    "I do not have chest pain",
    "there is no trouble or pain with urinating",
    "the chest pain was ruled out",
    "not suicidal",
    "without any leg weakness",
    "no loss of bladder control",
    "no loss of feeling in my legs",
    "have not lost control of my bowels",
    "no change in sensation when I pee",
]
FORETOLD = [
    "surgeon said ill be dead from the waist down if i dont have it",
    "doctor told me I would lose control of my bladder without surgery",
    "they say i'll go numb down below and not be able to pee",
    "the surgeon reckons i will be incontinent within a year",
    "my consultant warned i'd be numb down below",
    "Risks including infection, nerve damage, paralysis, loss of bladder control were explained.",
    "what would happen if i got cauda equina while waiting",
]
FINDINGS_THAT_LOOK_DENIED = [
    ("no fever but cant pee", "cauda_equina"),
    ("no fever, can't pee", "cauda_equina"),
    ("can't feel between my legs", "cauda_equina"),
    ("no feeling down there", "cauda_equina"),
    ("no control over my bladder", "cauda_equina"),
    ("not able to pee since last night", "cauda_equina"),
    ("haven't been able to wee", "cauda_equina"),
    ("its not that bad, just a bit numb down there", "cauda_equina"),
    ("no pain any more but now my foot won't lift", "limb_weakness"),
    ("I don't know why my groin is numb", "cauda_equina"),
    ("I'm not sure but I think my face is drooping", "heart_stroke_artery"),
    ("I don't want to live", "crisis"),
    ("not breathing properly", "blood_clot"),
    ("when I wipe it feels numb", "cauda_equina"),
    ("I don't think I can go on living like this", "crisis"),
    ("no pain, lost feeling in both legs", "cauda_equina"),
    ("I cycle to work. My saddle area has gone numb.", "cauda_equina"),
    ("I don't have a fever. Red line spreading from the scar.", "infection"),
]
TOLD_AFTER_SOMETHING_ELSE = [
    ("I had surgery 3 years ago and numb down there", "cauda_equina"),
    ("I had surgery 3 years ago and I've got a stabbing pain when I breathe in", "blood_clot"),
    ("i read the leaflet and my foot slaps when i walk", "limb_weakness"),
    ("ive had a bad back for 20 years and now i came off my horse today", "fracture"),
    ("my dad had the same in 2009 but I've been googling painless ways to die", "crisis"),
    ("so basically i fell off a ladder this morning and my back is agony so yeah what should i do", "fracture"),
]
"""What a statement before tells is over with its "and"."""
ASKED_OF_WHAT_ONE_HAS = [
    ("is it normal that I can't feel when I pee?", "cauda_equina"),
    ("is it normal to have a floppy foot since monday", "limb_weakness"),
    ("is a floppy foot normal? mine started monday", "limb_weakness"),
    ("is it ok that I've taken all my morphine?", "overdose"),
]
PAST = [
    "after my op last year I couldn't pee, fine now",
    "I had cauda equina in 2017",
    "in 2012 I was numb between my legs but it got better",
    "ten years ago I lost control of my bladder",
    "when I was a child I wet the bed",
    "I used to have chest pain",
    "my head injury was years ago",
    "my knee gives way sometimes, that's from an old football injury",
    "my leg is numb when I sit too long but it's been that way for years",
    "my cousin didn't survive his back surgery",
    "my sister never woke up from her operation",
]
PAST_THAT_IS_NOW = [
    ("numb between my legs since 2022, worse this week", "cauda_equina"),
    ("I had surgery 3 years ago and since yesterday I can't pee", "cauda_equina"),
    ("had foot drop in 2015 and now it is back again", "limb_weakness"),
    ("In 2019 I had a fusion. Last night I wet the bed.", "cauda_equina"),
    ("had breast cancer ten years ago, now my back hurts", "cancer"),
    ("The dead feeling in my saddle area cleared up after the 2022 op. It came back on Sunday.", "cauda_equina"),
    ("I was suicidal in 2016 and came through it. It has crept back this month.", "crisis"),
]
STABLE = [
    "my nan had a stroke in 2018 and she can't use her left arm since then",
    "By the end of a shift my legs are heavy and tired. Been the same since I was 40.",
    "I had polio as a child, so my right leg has been weak for sixty years.",
    "my foot drop since 2008 has not changed",
    "I have used a catheter for years",
    "I have been incontinent since birth",
    "my left foot has been weak for 10 years, no change",
]
IMAGINED = [
    "Suppose that the foot went weak after the operation, how quickly does someone look at it?",
    "I lie awake imagining that my spine will snap",
    "what if I can't pee after surgery?",
    "if I go numb after surgery who do I call?",
    "I'm scared of becoming incontinent",
    "the nurse told me to come back if I go numb between my legs",
    "what is the risk of a stroke?",
    "could I be paralysed by this operation?",
]
ASKED = [
    "what are the signs of cauda equina?",
    "What does numbness between the legs mean?",
    "Can a bad back cause chest pain?",
    "is incontinence a symptom of stenosis?",
    "can stenosis cause leg weakness?",
    "does gabapentin make people suicidal?",
]
COME_TRUE = [
    ("the leaflet says go to A&E if you can't pee and now I can't", "cauda_equina"),
    ("why can't I feel my bottom?", "cauda_equina"),
    ("is it normal that I can't pee after my discectomy?", "cauda_equina"),
    ("should I worry that my groin is numb?", "cauda_equina"),
    ("is this a stroke? my face has dropped", "heart_stroke_artery"),
    ("What would it mean if the other leg went numb too? Only it did, an hour ago.", "cauda_equina"),
    ("On the form I ticked no to suicidal thoughts. That wasn't true.", "crisis"),
    ("the nurse said ring if your saddle area goes numb, it has", "cauda_equina"),
]
RUN_ON = [
    (
        "i have been waiting for ages and my sister said i should write because i can't feel my bum and i wondered about the price",
        "cauda_equina",
    ),
    ("had sciatica for years and my left foot won't lift", "limb_weakness"),
    ("not managed a wee since last night", "cauda_equina"),
    ("My left foot slaps the floor since Monday. My friend had the same and got better with yoga.", "limb_weakness"),
    ("I bent to pick up the cat's dish and felt something crack in my spine", "fracture"),
    ("I wouldn't say weak, that thigh just doesn't do stairs any more", "limb_weakness"),
]
"""What else stands in the message, with no full stop between, is no excuse."""
SOMEONE_ELSE_THEN = [
    "my mum had cauda equina in 2009, is it genetic?",
    "my dad had a heart attack at 50",
    "my grandmother died of a stroke",
    "my friend had a blood clot after surgery",
    "breast cancer runs in my family and my back hurts",
    "my dog cant walk",
]
SOMEONE_ELSE_NOW = [
    ("my husband can't wake up", "overdose"),
    ("my dad cant feel his left side", "heart_stroke_artery"),
    ("mum wont wake up after her tablets", "overdose"),
    ("my wife says she can't feel between her legs", "cauda_equina"),
    ("my son says he wants to die", "crisis"),
    ("she is slurring her words", "heart_stroke_artery"),
    ("a patient of mine cannot pee and has numb buttocks", "cauda_equina"),
]
IDIOMS = [
    "this wait is killing me",
    "i could kill for a good sleep",
    "dying to get back to golf",
    "my back is broken lol (sore)",
    "heartbroken",
    "dead tired",
    "deadline is killing me",
    "fell for the sales pitch",
    "sick of this",
    "the MRI was an accident of timing",
    "i cant speak french",
    "nearly peed myself laughing",
    "the bill nearly gave me a heart attack",
    "my saddle is numb after a 4 hour ride, no back pain",
]
QUOTED = [
    "I saw a programme on television about a man who woke up paralysed after back surgery",
    "watched a film where the guy gets paralysed, it freaked me out",
    "Could we quote your page about numbness around the saddle area?",
    "report says no cord compression",
    "surgeon says i have NO cord compression",
    "my GP ruled out a clot",
    "I read an article about suicide and chronic pain",
]
SILENT = [*DENIED, *FORETOLD, *PAST, *STABLE, *IMAGINED, *ASKED, *SOMEONE_ELSE_THEN, *IDIOMS, *QUOTED]


@pytest.mark.parametrize("text", SILENT)
def test_nobody_is_alarmed(text: str) -> None:
    found = assess(detect(text))
    assert found.tier in ("none", "clarify"), found
    if "saddle" not in text:  # the cyclist is asked
        assert found.tier == "none", found


@pytest.mark.parametrize(
    ("text", "category"),
    [
        *FINDINGS_THAT_LOOK_DENIED,
        *PAST_THAT_IS_NOW,
        *COME_TRUE,
        *RUN_ON,
        *SOMEONE_ELSE_NOW,
        *TOLD_AFTER_SOMETHING_ELSE,
        *ASKED_OF_WHAT_ONE_HAS,
    ],
)
def test_it_counts(text: str, category: str) -> None:
    found = assess(detect(text))
    assert found.tier not in ("none", "clarify"), found
    assert category in found.categories


@pytest.mark.parametrize("text", [text for text, _ in SOMEONE_ELSE_NOW])
def test_the_words_are_for_someone_else(text: str) -> None:
    assert assess(detect(text)).key.endswith("_other")


@pytest.mark.parametrize(
    "text",
    [
        "my wife says I should call but I can't pee",
        "I can't feel my legs",
        "my groin is numb",
        "my mum left and I want to die",
    ],
)
def test_the_words_are_for_the_writer(text: str) -> None:
    assert not assess(detect(text)).key.endswith("_other")


def test_a_letter_is_asked_about_and_its_reader_still_heard() -> None:
    letter = "Impression: metastasis in the L3 vertebra. No cord compression."
    assert assess(detect(letter, source="report")).key == "clarify_report"
    assert assess(detect(letter + " I can't pee since this morning.", source="report")).tier == "emergency"
    assert assess(detect("No red flags. Power normal. Denies incontinence.", source="report")).tier == "none"


def test_what_one_was_warned_of_counts_once_it_is_said_to_be_so() -> None:
    warned = "I was told if I ever go numb down there to ring someone."
    assert assess(detect(warned)).tier == "none"
    assert assess(detect(warned + " Well I have.")).tier == "emergency"


def test_what_happens_beside_a_film_is_no_film() -> None:
    assert assess(detect("we were watching a film and my husband collapsed")).tier == "emergency"


def test_a_general_sign_yields_its_words_to_a_particular_one() -> None:
    found = assess(detect("Can't breathe, and my neck is swollen like a balloon after the fusion"))
    assert (found.tier, found.category) == ("emergency", "post_op")


def test_a_feared_loss_is_no_loss() -> None:
    assert assess(detect("I'm worried about losing bladder control after fusion")).tier == "none"
    assert assess(detect("I'm worried about my numb groin")).tier == "emergency"


def test_a_slip_in_an_ordinary_word_makes_no_sign_of_it() -> None:
    for text in ("my surgeon is incopetent", "wheere I live", "the food was ferrible"):
        assert assess(detect(text)).tier == "none", text


@pytest.mark.parametrize(
    "text",
    ["so yeah thanks", "Mr Shaw saw me", "Denise and Brian came along", "we've seen Mr Huang", "Coventry or Spain"],
)
def test_names_and_words_of_talk_are_no_misspellings(text: str) -> None:
    typed = [word.lower().removesuffix("'ve") for word in text.split()]
    read = {token.word for token in detector().matcher.normaliser.message(text).tokens}
    assert read - {"have"} <= set(typed), read


@pytest.mark.parametrize(
    ("text", "category"),
    [
        ("I can't sort of walk since last night", "limb_weakness"),
        ("she'd taken twenty paracetamol when I came home", "overdose"),
        ("they've got a gun here and want to die", "crisis"),
        ("he hurts himself when things get bad", "crisis"),
        ("she walks like she is drunk, it's getting worse", "myelopathy"),
    ],
)
def test_a_hedge_a_short_form_and_another_person_change_nothing(text: str, category: str) -> None:
    assert category in assess(detect(text)).categories


@pytest.mark.parametrize("text", ["RC-WRCK-P7RK", "my code is RC-GSP5-BQB3", "ps-SKVS-XKS2", "rc-9czq-ambd please"])
def test_no_word_is_read_into_a_reference(text: str) -> None:
    assert detect(text) == []


def test_what_stands_beside_a_reference_counts() -> None:
    assert assess(detect("RC-WRCK-P7RK and I can't feel when I pee")).tier == "emergency"


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("can I wait till Monday if I can't feel when I pee", "cauda_equina_emergency"),
        ("can it wait if i have numbness between my legs", "cauda_equina_emergency"),
        ("should i go to a&e if i cant pee", "cauda_equina_emergency"),
        ("should i be worried if my mum cant move her legs", "cauda_equina_emergency_other"),
        ("is it ok to wait if i have a fever after my op", "infection_urgent"),
        ("what should i do if i cant pee", "clarify_saddle"),
        ("what do i do if he cant breathe", "blood_clot_emergency_other"),
        ("where do we go if my mum cannot move her legs", "cauda_equina_emergency_other"),
        ("what should we do if he ever stops breathing at home", "clarify_breath"),
        ("what do i do if he cant breathe after the operation", ""),
        ("when should i call if i cant pee", "clarify_saddle"),
        ("what should I do if I lose control of my bladder after surgery", ""),
        ("what happens if i cant pee after surgery", ""),
        ("should i go for a second opinion if i might lose control of my bladder", ""),
        ("can i wait with the operation if i have no weakness", ""),
        ("can i take more tramadol than it says", ""),
        ("can I take an extra oxycodone", ""),
        ("can i take more tramadol, i already took 12 today", "overdose_emergency"),
        ("i dont want to live with these rods", ""),
        ("if they cancel my surgery again im ending it", "crisis_crisis"),
        ("i'm ending it with this surgeon", ""),
        ("i dont want to live with this pain any more", "crisis_crisis"),
        ("im a burden on everyone, they would be better off", "clarify_coping"),
    ],
)
def test_a_question_or_a_wish_is_told_from_the_sign_itself(text: str, key: str) -> None:
    assert assess(detect(text), states=detector().states(text)).key == key


@pytest.mark.parametrize(
    ("text", "tier"),
    [
        ("I was operated on 4 years ago and lost all feeling between my legs", "emergency"),
        ("I was operated on in 2009 and couldn't feel my legs", "none"),
        ("My toes went numb. It has been like that for ten years.", "none"),
        ("My foot is weak. It has been so since Sunday.", "urgent"),
        ("I can't hold my pee. It's been like that since the twins were born in 2011.", "none"),
        ("I can't hold my pee. Last year I had an operation.", "emergency"),
        ("My foot is weak. Will I be able to recover?", "urgent"),
        ("After the fall his leg is weak and he hardly walks now", "emergency"),
        ("My left calf is swollen and hot, I have varicose veins", "urgent"),
        ("I have a temperature of 36.6 and a dry scar after my fusion", "none"),
        ("I have a temperature of 38.6 and a dry scar after my fusion", "urgent"),
        ("Dad was confused after the operation on Friday. Since Saturday he is himself again.", "clarify"),
        (
            "After that I could not lift my wrist. They said a nerve was bruised. In the end the nerve recovered.",
            "none",
        ),
        ("I can't lift my wrist. They said a nerve was bruised. They hope the nerve recovered.", "urgent"),
        ("I dreamt that I couldn't feel my legs", "none"),
        ("I woke from a nightmare and I can't feel my legs", "emergency"),
        ("My aunt had a csf leak after hers. Could I have that too?", "none"),
        ("My aunt has a csf leak since Friday. Could I have that too?", "urgent"),
        ("is it common that both his feet are numb", "emergency"),
        ("is it common that feet go numb after the operation", "none"),
        ("is it usual that my legs are both numb", "emergency"),
        # What is named instead explains it, until it is said to be new.
        ("my knee gives way on stairs, the surgeon says it's the cartilage", "none"),
        ("my knee gives way since Monday, they say it's the cartilage", "urgent"),
        ("my knee gives way, it's the cartilage, but now the foot drags too", "urgent"),
        ("every now and then my fingers tingle", "none"),
        ("it used to be only my left leg and both are numb", "emergency"),
        ("Since Sunday though I've been wet and never felt it go", "emergency"),
        ("why would one leg suddenly give way", "urgent"),
        ("why would a leg give way", "none"),
        ("Bladder and bowels: normal. Saddle: normal sensation.", "none"),
        ("Bladder: can't start. Saddle: numb.", "emergency"),
        ("They had to put in a catheter because I couldn't pee. Will that happen again?", "clarify"),
        ("I can't pee. Will that happen again?", "emergency"),
        ("It's a nightmare, I can't feel my legs", "emergency"),
        ("I had a nightmare that I couldn't feel my legs", "none"),
        ("mum, 80, was hurt in a fall this morning and her back hurts", "urgent"),
        ("I was fine, now I can't walk and both legs are numb", "emergency"),
        # What was told before, or is added in brackets, is not told of the sign.
        ("I had a fusion last year. Been to the loo four times and can't get a drop out.", "emergency"),
        ("I had a fusion last year. I took 20 paracetamol.", "emergency"),
        ("I had a fusion last year. I lost control of my bowels.", "emergency"),
        ("I had a fusion last year. Then I had an accident down there.", "clarify"),
        ("I can't feel my legs (I had a stroke in 2012)", "emergency"),
        ("I read about this and I can't feel my legs", "emergency"),
        ("apart from that I'm fine, the bandage is soaked", "urgent"),
        ("I have full strength in my left leg", "none"),
        ("the strength has left my leg", "urgent"),
    ],
)
def test_what_is_over_is_told_from_what_lasts(text: str, tier: str) -> None:
    assert assess(detect(text)).tier == tier


@pytest.mark.parametrize(
    ("text", "doubted"),
    [
        ("I've decided to leave it for now", True),
        ("Doc reckons I need the knife mate", True),
        ("the quack wants to cut", True),
        ("i have decided to end it", False),
        ("i need a knife to end this", False),
    ],
)
def test_words_of_the_decision_are_told_from_words_of_despair(text: str, doubted: bool) -> None:
    assert ("IDIOM" in detector().states(text)) is doubted


@pytest.mark.parametrize(
    ("text", "tier"),
    [
        ("able to pee: no", "emergency"),
        ("Can you control your bladder? No", "emergency"),
        ("fever: no\nfeeling between legs: none", "emergency"),
        ("sensation in saddle area: absent", "emergency"),
        ("pain: 8, passing urine: no, fever: no", "emergency"),
        ("strength in foot: none", "urgent"),
        ("able to pee: yes", "none"),
        ("can you pee: no problem", "none"),
        ("loss of feeling between legs: no", "none"),
        ("any change in bladder control: no", "none"),
        ("strength: no change", "none"),
        ("can you have a fusion without an MRI? no", "none"),
    ],
)
def test_no_in_a_form_denies_what_is_bad_and_not_what_is_good(text: str, tier: str) -> None:
    assert assess(detect(text)).tier == tier


def test_what_a_form_says_is_quoted_as_it_was_typed() -> None:
    assert detect("so: able to pee: no")[0].evidence == "able to pee: no"

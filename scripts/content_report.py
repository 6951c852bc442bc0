"""Print how plain every answer is: words, reading grade, longest sentence and figures, with faults at the end.

Run ``python -m scripts.content_report`` from the repository. Leaves with 1 when a rule is broken.
"""

from __future__ import annotations

from statistics import mean

from knowledge.content import HERE, load_content
from knowledge.lint import answer_faults, grade, load_plain_words, longest_sentence, words


def main() -> int:
    content = load_content()
    plain = load_plain_words(HERE / "en" / "plain_words.yml")
    grades: list[float] = []
    print(f"{'topic':<24} {'text':<7} {'words':>5} {'grade':>6} {'longest':>8}  figures")
    for topic in content.answers:
        answer = content.answer(topic)
        for field, text in answer.texts().items():
            if field in ("short", "more"):
                grades.append(grade(text))
            figures = ", ".join(answer.figures) if field == "short" else ""
            print(
                f"{topic if field == 'short' else '':<24} {field:<7} {words(text):>5} {grade(text):>6.1f} "
                f"{words(longest_sentence(text)):>8}  {figures}"
            )
    print(f"\n{len(content.answers)} topics; Flesch-Kincaid mean {mean(grades):.2f}, highest {max(grades):.2f}")
    faults = [fault for answer in content.answers.values() for fault in answer_faults(answer, content, plain)]
    print("\n".join(faults))
    return 1 if faults else 0


if __name__ == "__main__":
    raise SystemExit(main())

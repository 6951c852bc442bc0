"""What a delivery must look like. Unknown keys are kept, so that a newer sender loses nothing at an older desk."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, AwareDatetime, Base64Bytes, BaseModel, ConfigDict, Field, StringConstraints

Id = Annotated[str, StringConstraints(min_length=1, max_length=100)]
Code = Annotated[str, StringConstraints(min_length=1, max_length=100)]
IntakeReference = Annotated[str, StringConstraints(pattern=r"^PS-[0-9A-HJKMNP-TV-Z]{4}-[0-9A-HJKMNP-TV-Z]{4}$")]
EscalationReference = Annotated[str, StringConstraints(pattern=r"^ESC-[0-9A-HJKMNP-TV-Z]{4}-[0-9A-HJKMNP-TV-Z]{4}$")]
Tier = Literal["emergency", "crisis", "urgent", "soon", "clarify"]

TIERS: tuple[str, ...] = ("clarify", "soon", "urgent", "crisis", "emergency")
PRIORITIES: tuple[str, ...] = ("routine", "soon", "urgent", "stat")


def tier_rank(tier: str | None) -> int:
    """0 for no red flag, 5 for an emergency."""
    return TIERS.index(tier) + 1 if tier else 0


class Open(BaseModel):
    model_config = ConfigDict(extra="allow")


class Subject(Open):
    name: str | None = None
    birth_date: str | None = None
    phone: str | None = None
    email: str | None = None


class Answer(Open):
    value: Any = None
    status: Literal["answered", "unknown", "declined", "not_asked"]
    text: str | None = None
    said_by: Literal["patient", "carer"] | None = None


class RedFlag(Open):
    category: Code
    tier: Tier
    evidence: str | None = ""
    rule: str | None = None
    at: AwareDatetime | None = None


class Consent(Open):
    policy_version: str
    given: dict[str, Any]
    at: AwareDatetime


class Turn(Open):
    at: AwareDatetime
    who: Literal["patient", "assistant"]
    text: str


class File(Open):
    """A letter of the case, as the intake lists it; its content comes in a delivery of its own."""

    id: Id
    name: Code
    type: Literal["application/pdf", "text/plain"]
    size: Annotated[int, Field(ge=1)]
    sha256: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class Intake(Open):
    intake_id: Id
    version: Annotated[int, Field(ge=1)]
    reference: IntakeReference
    priority: Literal["stat", "urgent", "soon", "routine"]
    country: str | None = ""
    sender_id: Id
    subject: Subject
    informant: Literal["patient", "carer"] = "patient"
    answers: dict[str, Answer]
    red_flags: list[RedFlag] = []
    decision_flags: list[str] = []
    consent: Consent
    transcript: list[Turn] = []
    files: list[File] = []
    questionnaire: str | None = None
    content_version: str | None = None
    rules_version: str | None = None


class FileContent(Open):
    intake_id: Id
    version: Annotated[int, Field(ge=1)]
    reference: IntakeReference
    file: File
    content: Base64Bytes


class Withdrawal(Open):
    intake_id: Id
    version: Annotated[int, Field(ge=1)]
    reference: IntakeReference


class Raised(Open):
    escalation_id: Id
    sender_id: Id
    reference: EscalationReference
    category: Code
    tier: Tier
    evidence: str | None = ""
    rules: list[str] = []
    rules_version: str | None = None
    at: AwareDatetime
    told: bool = True
    confirmed: str | None = None  # a word the desk does not know is shown as it is: a warning is never refused for it
    country: str | None = ""
    contact: Any = None
    person: Literal["self", "other"] = "self"


class Erasure(Open):
    """Names one intake or escalation, or everything of a sender when it names neither."""

    sender_id: Id | None = None
    intake_id: Id | None = None
    escalation_id: Id | None = None
    reference: str | None = None
    why: Annotated[str, AfterValidator(lambda why: why[:200])] = "patient_request"


class Delivery(Open):
    """The envelope. ``data`` is checked against the model of its type."""

    type: Literal[
        "intake.submitted",
        "intake.corrected",
        "intake.withdrawn",
        "intake.file",
        "escalation.raised",
        "escalation.updated",
        "erasure.requested",
    ]
    id: Id
    occurred_at: AwareDatetime
    data: dict[str, Any]


class DeadRow(BaseModel):
    """A row the delivery worker gave up on. Whatever else it sends is dropped: no patient data belongs here."""

    key: Id
    kind: Code
    error: Annotated[str | None, AfterValidator(lambda error: (error or "")[:200])] = ""
    at: AwareDatetime


class FigureRow(BaseModel):
    """A count of a day (or of ``now``): a topic asked, a tier, a step. The pattern leaves no room for words."""

    day: Annotated[str, StringConstraints(pattern=r"^(\d{4}-\d{2}-\d{2}|now)$")]
    what: Annotated[str, StringConstraints(pattern=r"^[a-z_]{1,20}$")]
    name: Annotated[str, StringConstraints(pattern=r"^[a-z0-9_]{0,60}$")]
    number: Annotated[int, Field(ge=0)]


class OutboxStatus(BaseModel):
    pending: Annotated[int, Field(ge=0)]
    oldest_seconds: Annotated[float, Field(ge=0)] | None = 0
    dead: list[DeadRow] = []
    insight: list[FigureRow] = []

"""What a gateway answers: the envelope, a call's outcome (verdicts) and cost (bills), request ids and translation.

`Envelope`, `Note`           an answer, and what was mended in it (also `envelope.Envelope`)
`judge`, `lint`, `who_pays`  one verdict of an answer, what contradicts itself in it, who pays for it
`check_bill`                 the charges of any number of answers
`translate`                  chosen texts of an answer, by your translator (`translate_async`)
`RequestIds`                 request ids in the gateway's own form (`is_request_id`)
"""

from typing import TYPE_CHECKING

from envelope.lazy import door

if TYPE_CHECKING:
    from envelope.answers.bills import Bill as Bill
    from envelope.answers.bills import BillLine as BillLine
    from envelope.answers.bills import check_bill as check_bill
    from envelope.answers.envelope import Envelope as Envelope
    from envelope.answers.envelope import Note as Note
    from envelope.answers.request_ids import RequestIds as RequestIds
    from envelope.answers.request_ids import is_request_id as is_request_id
    from envelope.answers.translation import AsyncTranslator as AsyncTranslator
    from envelope.answers.translation import Translator as Translator
    from envelope.answers.translation import translate as translate
    from envelope.answers.translation import translate_async as translate_async
    from envelope.answers.verdicts import CONTRADICTIONS as CONTRADICTIONS
    from envelope.answers.verdicts import RULES as RULES
    from envelope.answers.verdicts import Contradiction as Contradiction
    from envelope.answers.verdicts import ContradictionRule as ContradictionRule
    from envelope.answers.verdicts import Layer as Layer
    from envelope.answers.verdicts import Rule as Rule
    from envelope.answers.verdicts import UpstreamErrors as UpstreamErrors
    from envelope.answers.verdicts import Verdict as Verdict
    from envelope.answers.verdicts import judge as judge
    from envelope.answers.verdicts import lint as lint
    from envelope.answers.verdicts import upstream_error as upstream_error
    from envelope.answers.verdicts import who_pays as who_pays
else:
    __getattr__, __dir__, __all__ = door(
        __name__,
        {
            "bills": "Bill BillLine check_bill",
            "envelope": "Envelope Note",
            "request_ids": "RequestIds is_request_id",
            "translation": "AsyncTranslator Translator translate translate_async",
            "verdicts": (
                "CONTRADICTIONS RULES Contradiction ContradictionRule Layer Rule UpstreamErrors Verdict judge lint "
                "upstream_error who_pays"
            ),
        },
    )

"""The registry of error codes: what each means in three languages, who pays for the call, and who must act.

`REGISTRY`               the gateway's 20 codes; each has a constant of its name (`PARAM_ERROR` is ``"4003"``)
`CodeRegistry`           a table of `ErrorCode`; ``REGISTRY.with_toml(…)`` adds an operator's own
`Lang`, `Messages`       the languages, and the text of a code in one of them
"""

from typing import TYPE_CHECKING

from envelope.lazy import door

if TYPE_CHECKING:
    from envelope.registry.codes import ACCOUNT_NOT_FOUND as ACCOUNT_NOT_FOUND
    from envelope.registry.codes import ACCOUNT_STOPPED as ACCOUNT_STOPPED
    from envelope.registry.codes import API_MAINTENANCE as API_MAINTENANCE
    from envelope.registry.codes import API_NOT_ADDED as API_NOT_ADDED
    from envelope.registry.codes import API_NOT_FOUND as API_NOT_FOUND
    from envelope.registry.codes import API_STOPPED as API_STOPPED
    from envelope.registry.codes import CALLS_EXCEEDED as CALLS_EXCEEDED
    from envelope.registry.codes import INSUFFICIENT_BALANCE as INSUFFICIENT_BALANCE
    from envelope.registry.codes import INVALID_CREDENTIALS as INVALID_CREDENTIALS
    from envelope.registry.codes import MISSING_PARAM as MISSING_PARAM
    from envelope.registry.codes import NETWORK_ERROR as NETWORK_ERROR
    from envelope.registry.codes import NO_RESULT as NO_RESULT
    from envelope.registry.codes import PARAM_ERROR as PARAM_ERROR
    from envelope.registry.codes import RATE_LIMIT_EXCEEDED as RATE_LIMIT_EXCEEDED
    from envelope.registry.codes import REGISTRY as REGISTRY
    from envelope.registry.codes import SERVER_ERROR as SERVER_ERROR
    from envelope.registry.codes import SUCCESS as SUCCESS
    from envelope.registry.codes import TARGET_SERVER_ERROR as TARGET_SERVER_ERROR
    from envelope.registry.codes import TIMEOUT as TIMEOUT
    from envelope.registry.codes import UNKNOWN_ERROR as UNKNOWN_ERROR
    from envelope.registry.codes import WRONG_PAGE_TOKEN as WRONG_PAGE_TOKEN
    from envelope.registry.codes import Actor as Actor
    from envelope.registry.codes import Billing as Billing
    from envelope.registry.codes import BillingSource as BillingSource
    from envelope.registry.codes import CodeRegistry as CodeRegistry
    from envelope.registry.codes import ErrorCode as ErrorCode
    from envelope.registry.languages import Lang as Lang
    from envelope.registry.messages import GetText as GetText
    from envelope.registry.messages import Hook as Hook
    from envelope.registry.messages import Messages as Messages
    from envelope.registry.messages import Text as Text
else:
    __getattr__, __dir__, __all__ = door(
        __name__,
        {
            "codes": (
                "ACCOUNT_NOT_FOUND ACCOUNT_STOPPED API_MAINTENANCE API_NOT_ADDED API_NOT_FOUND API_STOPPED "
                "CALLS_EXCEEDED INSUFFICIENT_BALANCE INVALID_CREDENTIALS MISSING_PARAM NETWORK_ERROR NO_RESULT "
                "PARAM_ERROR RATE_LIMIT_EXCEEDED REGISTRY SERVER_ERROR SUCCESS TARGET_SERVER_ERROR TIMEOUT "
                "UNKNOWN_ERROR WRONG_PAGE_TOKEN Actor Billing BillingSource CodeRegistry ErrorCode"
            ),
            "languages": "Lang",
            "messages": "GetText Hook Messages Text",
        },
    )

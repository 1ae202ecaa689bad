"""The rules of the books: who may call, what a call costs, who has paid. Each is a function on a transaction.

    store.write_now(lambda db: settle(db, Settlement(call=7, code="0000", ok=True, billing="charged", charge=1200)))

Money is in micro-units, times are microseconds of the Unix time by the store's clock.
"""

from typing import TYPE_CHECKING

from envelope.lazy import door

if TYPE_CHECKING:
    from envelope.gateway.books.accounts import Account as Account
    from envelope.gateway.books.accounts import Grant as Grant
    from envelope.gateway.books.accounts import account_named as account_named
    from envelope.gateway.books.accounts import account_of as account_of
    from envelope.gateway.books.accounts import api_states as api_states
    from envelope.gateway.books.accounts import change_account as change_account
    from envelope.gateway.books.accounts import create_account as create_account
    from envelope.gateway.books.accounts import deposit as deposit
    from envelope.gateway.books.accounts import grant as grant
    from envelope.gateway.books.accounts import list_accounts as list_accounts
    from envelope.gateway.books.accounts import reseal_secret as reseal_secret
    from envelope.gateway.books.accounts import sealed_secrets as sealed_secrets
    from envelope.gateway.books.accounts import switch_api as switch_api
    from envelope.gateway.books.admission import Admission as Admission
    from envelope.gateway.books.admission import Admitted as Admitted
    from envelope.gateway.books.admission import admit as admit
    from envelope.gateway.books.answers import StoredAnswer as StoredAnswer
    from envelope.gateway.books.auditing import INVARIANTS as INVARIANTS
    from envelope.gateway.books.auditing import Breach as Breach
    from envelope.gateway.books.auditing import audit as audit
    from envelope.gateway.books.cache import CacheEntry as CacheEntry
    from envelope.gateway.books.cache import cached_answer as cached_answer
    from envelope.gateway.books.calls import CallRecord as CallRecord
    from envelope.gateway.books.calls import find_calls as find_calls
    from envelope.gateway.books.errors import BooksError as BooksError
    from envelope.gateway.books.export import export_calls as export_calls
    from envelope.gateway.books.export import write_csv as write_csv
    from envelope.gateway.books.export import write_jsonl as write_jsonl
    from envelope.gateway.books.export import write_parquet as write_parquet
    from envelope.gateway.books.forgetting import forget as forget
    from envelope.gateway.books.freeing import free_call as free_call
    from envelope.gateway.books.gate import Refused as Refused
    from envelope.gateway.books.jobs import Job as Job
    from envelope.gateway.books.jobs import add_job as add_job
    from envelope.gateway.books.jobs import finish_job as finish_job
    from envelope.gateway.books.jobs import has_job as has_job
    from envelope.gateway.books.jobs import job_of as job_of
    from envelope.gateway.books.jobs import renew_job as renew_job
    from envelope.gateway.books.jobs import take_job as take_job
    from envelope.gateway.books.nonces import remember_nonce as remember_nonce
    from envelope.gateway.books.recovery import Closed as Closed
    from envelope.gateway.books.recovery import Watch as Watch
    from envelope.gateway.books.recovery import recover as recover
    from envelope.gateway.books.refunds import refund as refund
    from envelope.gateway.books.repeats import Repeated as Repeated
    from envelope.gateway.books.retention import remove_calls as remove_calls
    from envelope.gateway.books.serving import Served as Served
    from envelope.gateway.books.serving import serve_cached as serve_cached
    from envelope.gateway.books.settling import Settled as Settled
    from envelope.gateway.books.settling import Settlement as Settlement
    from envelope.gateway.books.settling import renew as renew
    from envelope.gateway.books.settling import settle as settle
    from envelope.gateway.books.spending import Spent as Spent
    from envelope.gateway.books.spending import spent_by_day as spent_by_day
else:
    __getattr__, __dir__, __all__ = door(
        __name__,
        {
            "accounts": "Account Grant account_named account_of api_states change_account create_account deposit grant "
            "list_accounts reseal_secret sealed_secrets switch_api",
            "admission": "Admission Admitted admit",
            "answers": "StoredAnswer",
            "auditing": "INVARIANTS Breach audit",
            "cache": "CacheEntry cached_answer",
            "calls": "CallRecord find_calls",
            "errors": "BooksError",
            "export": "export_calls write_csv write_jsonl write_parquet",
            "forgetting": "forget",
            "freeing": "free_call",
            "gate": "Refused",
            "jobs": "Job add_job finish_job has_job job_of renew_job take_job",
            "nonces": "remember_nonce",
            "recovery": "Closed Watch recover",
            "refunds": "refund",
            "repeats": "Repeated",
            "retention": "remove_calls",
            "serving": "Served serve_cached",
            "settling": "Settled Settlement renew settle",
            "spending": "Spent spent_by_day",
        },
    )

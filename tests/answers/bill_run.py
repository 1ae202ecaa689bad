"""Check a bill over as many answers as you like: `python -m tests.answers.bill_run --count 1000000`."""

from __future__ import annotations

import argparse
import resource
import sys
from collections import Counter

from envelope.answers.bills import check_bill
from envelope.registry.codes import Billing
from tests.answers.test_bills import PRICES, log


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    check_bill(log(1000), PRICES)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    bill = check_bill(log(options.count, options.seed), PRICES)
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    counted = Counter(answer.error_code for answer in log(options.count, options.seed))
    charge = sum(counted[code] * price for code, price in PRICES.items())
    by_code = {code: line.calls for code, line in bill.by_code.items() if line.calls}
    for flag in Billing:
        print(f"{flag:8} {bill.by_billing[flag].calls:>9} calls {bill.by_billing[flag].charge:>12}")
    print(f"total    {bill.total.calls:>9} calls {bill.total.charge:>12}; unknown codes {sorted(bill.unknown)}")
    print(f"memory grew by {grown} KiB")
    is_equal = (bill.total.charge, {**by_code, **bill.unknown}) == (charge, dict(counted))
    print("the same as an independent count" if is_equal else "NOT the same as an independent count")
    sys.exit(not is_equal)


if __name__ == "__main__":
    main()

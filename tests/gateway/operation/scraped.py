"""Metrics as Prometheus reads them."""

from __future__ import annotations

from prometheus_client.metrics_core import Metric
from prometheus_client.parser import text_string_to_metric_families


class Scraped:
    """The families in a text, and the samples by name and labels."""

    def __init__(self, text: bytes) -> None:
        self.families: dict[str, Metric] = {}
        self.samples: dict[str, dict[tuple[tuple[str, str], ...], float]] = {}
        for family in text_string_to_metric_families(text.decode()):
            self.families[family.name] = family
            for sample in family.samples:
                self.samples.setdefault(sample.name, {})[tuple(sorted(sample.labels.items()))] = sample.value

    def value(self, name: str, **labels: str) -> float:
        """The sum of all that have these labels."""
        wanted = labels.items()
        found = self.samples.get(f"envelope_gateway_{name}", {})
        return sum(value for labels_, value in found.items() if wanted <= dict(labels_).items())

    def labels(self, name: str) -> set[str]:
        return {label for labels in self.samples[name] for label, _ in labels}

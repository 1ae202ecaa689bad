"""For tests of your own: Hypothesis strategies, assertions, a pytest plugin and a real PHP to ask."""

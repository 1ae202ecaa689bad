"""Operation: settings that change while calls are made, an end that loses none, and what an operator looks at."""

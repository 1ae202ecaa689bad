"""`/v1/*`: the gateway as clients of OpenAI know it, with the same accounts and books."""

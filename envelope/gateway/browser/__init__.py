"""What the gateway has for web pages of other sites: `/js/obapi.js`, and the rules by which they may read answers."""

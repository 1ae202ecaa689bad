suppressPackageStartupMessages({ library(httr); library(jsonlite) })

given <- commandArgs(trailingOnly = TRUE)
names(given) <- c("address", "key", "secret", "method", "_o_args", "result_type", "lang")
answer <- GET(given[["address"]], query = as.list(given[-1]), timeout(60))
body <- content(answer, "text", encoding = "UTF-8")
if (startsWith(given[["result_type"]], "json")) {
  # With its defaults, jsonlite makes vectors and data frames of what came.
  value <- fromJSON(body, simplifyVector = FALSE)
  body <- toJSON(value, auto_unbox = TRUE, null = "null", digits = NA)
}
cat(enc2utf8(body), "\n", status_code(answer), "\n", sep = "")

% MATLAB's own function, which Octave has since 7. It reads no answer of a status from 400: the gateway needs
% statuses = "ok" for that.
given = argv();
names = {"key", "secret", "method", "_o_args", "result_type", "lang"};
query = cell(1, 12);
query(1:2:end) = names;
query(2:2:end) = given(2:7);
[body, ok, message] = urlread(given{1}, "get", query);
if (! ok)
  error("%s", message);
end
if (strncmp(given{6}, "json", 4))
  value = jsondecode(body, "makeValidName", false);
  fields = struct("error_code", value.error_code, "error", value.error, "reason", value.reason, "text", "");
  if (isstruct(value.response) && isfield(value.response, "choices"))
    fields.text = value.response.choices(1).text;
  elseif (isstruct(value.response) && isfield(value.response, "error"))
    fields.text = value.response.error.message;
  end
  body = jsonencode(fields);
end
printf("%s\n200\n", body);

require "json"
require "net/http"
require "rexml/document"

address, key, secret, method, args, result_type, lang = ARGV
uri = URI(address)
uri.query = URI.encode_www_form(
  key: key, secret: secret, method: method, _o_args: args, result_type: result_type, lang: lang
)
answer = Net::HTTP.get_response(uri)
body = answer.body.force_encoding("UTF-8") # it comes as bytes

case result_type
when "json", "jsonu"
  puts JSON.generate(JSON.parse(body))
when "xml"
  root = REXML::Document.new(body).root
  text = ->(path) { root.elements[path]&.text.to_s }
  puts JSON.generate(
    error_code: text["error_code"], error: text["error"], reason: text["reason"],
    text: text[root.elements["response/error"] ? "response/error/message" : "response/choices/item/text"]
  )
else
  puts body
end
puts answer.code

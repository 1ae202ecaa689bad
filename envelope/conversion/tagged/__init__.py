"""Tagged JSON: PHP's domain as JSON that loses nothing, and reads back as the same value.

`docs/how-to/tagged-json.md` describes it.

    value     = null | boolean | number | string | [value, …] | array | tagged
    array     = {key: value, …}                           keys that are decimals are PHP's integers
    tagged    = {"@int": decimal} | {"@float": decimal | "NAN" | "INF" | "-INF"} | {"@base64": string}
              | {"@enum": "Class::Case"} | object | {"@object": id} | reference | {"@reference": id}
    object    = {"@class": name, ("@id": id)?, ("@visibility": {property: visibility, …})?, property: value, …}
              | {"@class": name, ("@id": id)?, "@payload": string | {"@base64": string}}
    reference = {"@reference": id, "@value": value}       PHP's &; its other places are {"@reference": id}
    visibility = "protected" | "private" | "private:Class"
    key       = text | "@" text-that-begins-with-@ | "@base64:" base64
    property  = key | "@int:" decimal | ("@public:" | "@protected:" | "@private:" Class ":") key

Nothing else begins with one "@". What a reader whose numbers are all doubles would change is in a tag: floats without a
fraction, and integers from 2**53 on. A property is spelled with its visibility only if the object has another of its
name. PHP's empty array is ``[]``; read, ``{}`` is the same.

`write.tag` makes it, `read.untag` reads it; both take and make values, not text, and neither looks up a class.
"""

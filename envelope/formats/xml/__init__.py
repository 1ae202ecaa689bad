"""XML: the typed dialect, which holds every portable value, and the plain one, which PHP gateways write.

    document  = <?xml version="1.0" encoding="utf-8"?> element named root
    element   = <name attributes>content</name> | <name attributes/>      (the latter exactly when content is empty)
    content   = element* (a map, a list) | text (all other values)
    name      = a map's key if it is a plain name; else item, and a map's key is the attribute `key`

    typed       type="map|list|int|float|bool|null", none for text;
                escaped="true", escaped-key="true": the text or key is the inside of a JSON string
    plain       no attribute but `key`; null, "", [] and {} are all an empty element; read with comments and
                processing instructions anywhere, which are nothing, and what the options of `foreign` allow

Text and keys with characters that XML cannot hold are escaped in the typed dialect and refused in the plain one.
Values of PHP's domain have no XML, so `values` and `maps` change nothing here.
"""

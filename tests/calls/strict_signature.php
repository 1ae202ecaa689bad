<?php

/** The strict signature of a call: $params are as in $_REQUEST, texts and arrays of texts. */
function strict_signature(string $api_type, array $params, string $secret, string $nonce): string
{
    $canonical = function ($value) use (&$canonical) {
        if (!is_array($value)) return $value;
        $members = array_map($canonical, $value);
        if (array_is_list($value)) return $members;
        ksort($members, SORT_STRING);
        return (object) $members;
    };
    unset($params['sign'], $params['secret']);
    $flags = JSON_UNESCAPED_UNICODE | JSON_UNESCAPED_LINE_TERMINATORS | JSON_UNESCAPED_SLASHES | JSON_THROW_ON_ERROR;
    $head = "hmac-sha256:$nonce";
    $lines = [$head, json_encode($api_type, $flags), json_encode($canonical($params), $flags)];
    return $head . ':' . hash_hmac('sha256', implode("\n", $lines), $secret);
}

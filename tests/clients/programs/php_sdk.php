<?php
/** A client like the documents': several addresses, the gateway's signature, and a cache of successes for a day. */
class GatewayClient
{
    private const FRESH = 86400;

    public function __construct(
        private array $addresses,
        private string $key,
        private string $secret,
        private string $folder,
        private string $lang = 'cn',
    ) {
    }

    /** The answer, as json_decode has it, from whichever address answers first. */
    public function call(string $api_type, string $api_name, array $params, string $result_type = 'json'): array
    {
        $name = md5(json_encode([$api_type, $api_name, $params, $result_type, $this->lang]));
        $file = "$this->folder/$name.json";
        if (is_file($file) && time() - filemtime($file) < self::FRESH) {
            return json_decode(file_get_contents($file), true);
        }
        foreach ($this->addresses as $address) {
            $answer = $this->ask("$address/$api_type/api_call.php?", $api_name, $params, $result_type);
            if ($answer === null) continue;
            if ($answer['error_code'] === '0000') file_put_contents($file, json_encode($answer), LOCK_EX);
            return $answer;
        }
        if (is_file($file)) return json_decode(file_get_contents($file), true); // an old answer is better than none
        throw new RuntimeException('no address answers');
    }

    private function ask(string $url, string $api_name, array $params, string $result_type): ?array
    {
        $china = new DateTimeImmutable('now', new DateTimeZone('Asia/Shanghai'));
        $form = ['key' => $this->key, 'api_name' => $api_name, 'dateline' => $china->format('Y-m-d H:i:s')] + $params;
        $form['sign'] = $this->signature($form);
        $form += ['lang' => $this->lang, 'result_type' => $result_type];
        $context = stream_context_create(['http' => [
            'method' => 'POST',
            'header' => 'Content-Type: application/x-www-form-urlencoded',
            'content' => http_build_query($form),
            'timeout' => 60,
        ]]);
        $body = @file_get_contents($url, false, $context); // false on any HTTP status from 400
        return $body === false ? null : $this->read($body, $result_type);
    }

    private function signature(array $form): string
    {
        ksort($form);
        $text = $this->secret;
        foreach ($form as $name => $value) {
            if (!str_starts_with($value, '@')) $text .= $name . $value;
        }
        return strtoupper(md5($text . $this->secret));
    }

    private function read(string $body, string $result_type): ?array
    {
        $answer = match ($result_type) {
            'json', 'jsonu' => json_decode($body, true),
            'xml' => ($xml = @simplexml_load_string($body)) === false ? null : self::value($xml),
            'serialize' => @unserialize($body, ['allowed_classes' => false]),
        };
        return is_array($answer) ? $answer : null; // what cannot be read is no answer
    }

    private static function value(SimpleXMLElement $element): mixed
    {
        $text = (string) $element;
        return match ((string) $element['type']) {
            'map' => self::map($element),
            'list' => array_map(self::value(...), iterator_to_array($element->children(), false)),
            'int' => (int) $text,
            'float' => (float) $text,
            'bool' => $text === 'true',
            'null' => null,
            default => $text,
        };
    }

    private static function map(SimpleXMLElement $element): array
    {
        $map = [];
        foreach ($element->children() as $name => $child) {
            $map[(string) ($child['key'] ?? $name)] = self::value($child);
        }
        return $map;
    }
}

[, $address, $key, $secret, $method, $args, $result_type, $lang] = $argv;
$addresses = explode(',', $address); // each ends with /<api_type>/<api_name>/
[$api_type, $api_name] = [basename(dirname($addresses[0])), basename($addresses[0])];
$hosts = array_map(fn ($each) => dirname($each, 2), $addresses);
$client = new GatewayClient($hosts, $key, $secret, getenv('CACHE') ?: sys_get_temp_dir(), $lang);
echo json_encode($client->call($api_type, $api_name, ['method' => $method, '_o_args' => $args], $result_type)), "\n200\n";

<?php
// PHP as a peer: a process that is asked for figures in JSON lines, as worker.py is. `php php_peer.php FOLDER`.

declare(strict_types=1);
ini_set('serialize_precision', '-1');
ini_set('memory_limit', '-1');

// For each format: what writes $value, what reads $body. The same expressions are checked and timed.
const WAYS = [
    'serialize' => ['write' => 'serialize($value)', 'read' => 'unserialize($body)'],
    'var_export' => ['write' => 'var_export($value, true)', 'read' => 'eval($body)'],
    'json' => ['write' => 'json_encode($value, JSON_PRESERVE_ZERO_FRACTION)', 'read' => 'json_decode($body, true)'],
    'jsonu' => ['write' => 'json_encode($value, JSON_UNESCAPED_UNICODE | JSON_PRESERVE_ZERO_FRACTION)', 'read' => 'json_decode($body, true)'],
    'xml' => ['write' => 'typed_xml($value)', 'read' => 'typed_value(simplexml_load_string($body))'],
    'xml plain' => ['write' => 'plain_xml($value)', 'read' => 'plain_value(simplexml_load_string($body))'],
];

function typed_xml($value): string {
    $writer = new XMLWriter;
    $writer->openMemory();
    $writer->startDocument('1.0', 'utf-8');
    typed_element($writer, 'root', $value);
    return $writer->outputMemory();
}

function typed_element(XMLWriter $writer, string $name, $value): void {
    $writer->startElement($name);
    if (is_string($value)) {
        $writer->text($value);
    } elseif (is_array($value)) {
        if (array_is_list($value)) {
            $writer->writeAttribute('type', 'list');
            foreach ($value as $child) typed_element($writer, 'item', $child);
        } else {
            $writer->writeAttribute('type', 'map');
            foreach ($value as $key => $child) typed_element($writer, $key, $child);
        }
    } elseif (is_int($value)) {
        $writer->writeAttribute('type', 'int');
        $writer->text((string) $value);
    } elseif (is_float($value)) {
        $writer->writeAttribute('type', 'float');
        $writer->text(var_export($value, true));
    } elseif (is_bool($value)) {
        $writer->writeAttribute('type', 'bool');
        $writer->text($value ? 'true' : 'false');
    } else {
        $writer->writeAttribute('type', 'null');
    }
    $writer->endElement();
}

function plain_xml($value): string {
    $writer = new XMLWriter;
    $writer->openMemory();
    $writer->startDocument('1.0', 'utf-8');
    plain_element($writer, 'root', $value);
    return $writer->outputMemory();
}

function plain_element(XMLWriter $writer, string $name, $value): void {
    if (is_string($value)) {
        $writer->writeElement($name, $value);
    } elseif (is_array($value)) {
        $writer->startElement($name);
        if (array_is_list($value)) {
            foreach ($value as $child) plain_element($writer, 'item', $child);
        } else {
            foreach ($value as $key => $child) plain_element($writer, $key, $child);
        }
        $writer->endElement();
    } elseif (is_float($value)) {
        $writer->writeElement($name, var_export($value, true));
    } elseif (is_bool($value)) {
        $writer->writeElement($name, $value ? 'true' : 'false');
    } else {
        $writer->writeElement($name, (string) $value);
    }
}

function typed_value(SimpleXMLElement $element) {
    switch ((string) $element['type']) {
        case '': return (string) $element;
        case 'int': return (int) $element;
        case 'float': return (float) $element;
        case 'bool': return (string) $element === 'true';
        case 'null': return null;
        case 'list':
            $list = [];
            foreach ($element->children() as $child) $list[] = typed_value($child);
            return $list;
        default:
            $map = [];
            foreach ($element->children() as $name => $child) $map[$name] = typed_value($child);
            return $map;
    }
}

// An item is a member of a list: the documents have no item among other names, and no name twice.
function plain_value(SimpleXMLElement $element) {
    $values = [];
    foreach ($element->children() as $name => $child) {
        if ($name === 'item') $values[] = plain_value($child);
        else $values[$name] = plain_value($child);
    }
    return $values ?: (string) $element;
}

// Seconds of the processor, to the microsecond: what hrtime tells would count the other work of the machine too.
function processor(): float {
    $usage = getrusage();
    return $usage['ru_utime.tv_sec'] + $usage['ru_stime.tv_sec']
        + ($usage['ru_utime.tv_usec'] + $usage['ru_stime.tv_usec']) / 1e6;
}

function way(array $question): string {
    return WAYS[$question['format']][$question['direction'] ?? $question['do']];
}

function inputs(string $folder, array $question): array {
    $name = "$folder/{$question['document']}";
    $body = file_get_contents("$name.{$question['format']}");
    if ($question['format'] === 'var_export') $body = "return $body;";
    return [json_decode(file_get_contents("$name.jsonu"), true, 4096), $body];
}

function run(string $expression, $value, string $body) {
    return eval("return $expression;");
}

function answer(string $folder, array $question): array {
    static $jobs = [];
    switch ($question['do']) {
        case 'write':
            return ['body' => base64_encode(run(way($question), ...inputs($folder, $question)))];
        case 'read':
            return ['value' => run(way($question), ...inputs($folder, $question))];
        case 'time':
            $key = "{$question['format']} {$question['document']} {$question['direction']}";
            $expression = way($question);
            $jobs[$key] ??= ['calls' => 1, 'inputs' => inputs($folder, $question), 'loop' => eval(
                'return function (int $calls, $value, string $body): float {'
                . '$started = processor();'
                . "for (\$call = 0; \$call < \$calls; \$call++) $expression;"
                . 'return processor() - $started; };'
            )];
            ['calls' => $calls, 'inputs' => [$value, $body], 'loop' => $loop] = $jobs[$key];
            // Several windows, the best of which counts: as worker.py does it.
            for ($best = INF, $spent = 0.0; $spent < $question['seconds']; $spent += $passed) {
                $passed = $loop($calls, $value, $body);
                $best = min($best, $passed / $calls);
                if ($passed < $question['seconds'] / 20) $calls *= 2;
            }
            $jobs[$key]['calls'] = $calls;
            return ['microseconds' => $best * 1e6];
    }
    throw new Exception("cannot {$question['do']}");
}

$answer = ['peers' => ['php' => PHP_VERSION], 'native' => false];
while (true) {
    echo json_encode($answer, JSON_UNESCAPED_UNICODE | JSON_PRESERVE_ZERO_FRACTION | JSON_THROW_ON_ERROR, 4096), "\n";
    flush();
    $line = fgets(STDIN);
    if ($line === false) exit(0);
    $answer = answer($argv[1], json_decode($line, true));
}

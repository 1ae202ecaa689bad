<?php
// What PHP itself makes of a call's query and form: the router of `php -S`, see php_merge_run.py.
echo serialize($_REQUEST);

# SPDX-License-Identifier: Apache-2.0
"""Configuration texts for the comparison with nats-server.

Owns the texts, and what surrounds them: files that they include, environment that they name. What
nats-server 2.15.2 says to each stands in config_verdicts.json, written by config_oracle.py.
"""

from __future__ import annotations

import dataclasses


@dataclasses.dataclass(frozen=True)
class Case:
    name: str
    text: str
    files: dict[str, str] = dataclasses.field(default_factory=dict)
    environment: dict[str, str] = dataclasses.field(default_factory=dict)
    # Why Martlet's verdict is another one. Empty: it is the same, sentence and digest included.
    difference: str = ""


def _pairs() -> list[Case]:
    texts = {
        "equals": "port = 4222",
        "colon": "port: 4222",
        "space": "port 4222",
        "no_newline_at_end": "port: 4222",
        "newline_before_value": "port\n  4222\n",
        "newline_after_separator": "port:\n4222\n",
        "semicolon": "port: 4222; host: h",
        "comma": "port: 4222, host: h",
        "carriage_returns": "port: 4222\r\nhost: h\r\n",
        "quoted_key": '"port": 4222',
        "single_quoted_key": "'port' 4222",
        "json": '{"port": 4222, "authorization": {"user": "a", "password": "b"}}',
        "json_newlines": '{\n"port": 4222,\n"host": "h"\n}\n',
        "braces_within_braces": "{ { port: 4222 } , host: h }",
        "duplicate": "port: 1\nport: 2\n",
        "upper_case_key": "PORT: 4222",
        "two_pairs_on_a_line": "port: 4222 host: h",
        "after_string": 'host: "h" x',
        "no_value": "port",
        "no_value_newline": "port\n",
        "separator_twice": "port == 4222",
        "only_separator": "= 4222",
        "separator_on_second_line": "port: 1\n: 2",
        "empty": "",
        "only_blank": "  \n\t\n",
        "only_comment": "# nothing",
        "stray_closing": "port: 4222 }",
        "closing_alone": "}",
        "opening_alone": "{",
        "opening_unclosed": "{ port: 4222",
        "opening_unclosed_newline": "{ port: 4222\n",
        "slash": "/ port: 4222",
        "slash_behind_value": 'host: "h" /\n',
        "tabs": "\tport\t=\t4222\t\n",
        "unicode_space": "port\u00a04222",
        "unicode_value": "server_name: gr\u00fcn\u20ac",
        "zero_byte": "port: 4222\0host: h",
        "byte_order_mark": "\ufeffport: 4222",
    }
    return [Case("pairs_" + name, text) for name, text in texts.items()]


def _comments() -> list[Case]:
    texts = {
        "hash": "# c\nport: 4222 # d\n",
        "slashes": "// c\nport: 4222 // d\n",
        "in_map": "authorization { # a\n user: u // b\n # c\n pass: p }\n",
        "in_array": "server_tags: [ # a\n 'x' # b\n // c\n 'y' // d\n ]\n",
        "hash_in_word": "server_name: a#b",
        "hash_after_word": "server_name: a # b",
        "hash_as_value": "server_name # b",
        "slashes_in_url": "server_name: nats://x",
        "comment_in_braces": "{ # a\n port: 1 # b\n // c\n }",
        "slash_in_map": "authorization { / user: u }",
        "slash_in_array": "server_tags: [ 'a' / 'b' ]",
    }
    return [Case("comments_" + name, text) for name, text in texts.items()]


def _strings() -> list[Case]:
    texts = {
        "double": 'server_name: "abc"',
        "single": "server_name: 'abc'",
        "bare": "server_name: abc",
        "escapes": 'server_name: "a\\tb\\nc\\rd\\"e\\\\f\\x41"',
        "bad_escape": 'server_name: "a\\q"',
        "bad_hex": 'server_name: "a\\x4g"',
        "hex_at_line_end": 'server_name: "a\\x\n"',
        "hex_at_end": 'server_name: "a\\x4',
        "escape_in_bare": "server_name: a\\x62c",
        "raw_keeps_escapes": "server_name: 'a\\tb'",
        "unclosed_double": 'server_name: "abc',
        "unclosed_single": "server_name: 'abc",
        "unclosed_empty": 'server_name: "',
        "unclosed_in_array": 'server_tags: [ "',
        "newline_in_double": 'server_name: "a\nb"',
        "space_in_name": 'server_name: "a b"',
        "block": "server_name: (\nabc\n)\n",
        "block_at_end": "server_name: (\nabc\n)",
        "block_inner_parenthesis": "server_name: (\na ) b\n(c)\n)\n",
        "block_unclosed": "server_name: (\nabc\n",
        "block_carriage_return": "server_name: (\nabc\n)\r\n",
        "quoted_number": 'port: "4222"',
        "bare_ends_with_quote": "server_name: abc'\n",
        "digits_then_letters": "server_name: 0K1abc",
        "digits_then_dash": "server_name: 12345-6",
        "empty_double": 'server_name: ""',
        "html": 'server_name: "<a&b>"',
        "quoted_key_unclosed": '"port: 4222',
        "map_key_unclosed": 'authorization { "user: u }',
        "map_key_unclosed_single": "authorization { 'user: u }",
    }
    cases = [Case("strings_" + name, text) for name, text in texts.items()]
    return cases


def _numbers() -> list[Case]:
    suffixes = [
        "k",
        "kb",
        "ki",
        "kib",
        "K",
        "KiB",
        "m",
        "mb",
        "mi",
        "mib",
        "M",
        "g",
        "gb",
        "gi",
        "gib",
        "t",
        "tb",
        "p",
        "pib",
        "e",
        "eb",
    ]
    cases = [
        Case("numbers_suffix_" + str(i), f"max_pending: 1{suffix}")
        for i, suffix in enumerate(suffixes)
    ]
    texts = {
        "negative": "port: -1",
        "float_for_int": "port: 1.5",
        "float": "authorization { timeout: 1.5, token: t }",
        "float_point_first": "authorization { timeout: .5 }",
        "float_no_digit": "authorization { timeout: 1. }",
        "float_negative": "authorization { timeout: -1.5, token: t }",
        "minus_alone": "port: -",
        "minus_letter": "port: -x",
        "too_large": "max_pending: 9223372036854775808",
        "largest": "max_pending: 9223372036854775807",
        "smallest": "max_pending: -9223372036854775808",
        "separated": "max_pending: 1,000",
        "in_array_closed": "server_tags: [1]",
        "address": "host: 127.0.0.1",
        "listen_address": "listen: 127.0.0.1:4222",
        "datetime": "port: 2016-05-04T18:53:41Z",
        "datetime_used": "when: 2016-05-04T18:53:41Z\nserver_name: $when",
        "datetime_short": "port: 2016-05-04",
        "datetime_day": "port: 2016-02-30T00:00:00Z",
        "datetime_leap": "when: 2016-02-29T00:00:00Z",
        "date_like": "server_name: 201-05",
        "hex": "port: 0x10",
        "suffix_in_word": "server_name: 5m_x",
        "zero_prefixed": "port: 0080",
    }
    cases += [Case("numbers_" + name, text) for name, text in texts.items()]
    cases.append(
        Case(
            "numbers_no_such_suffix",
            "max_pending: 1kbb",
            difference="nats-server drops the pair without a word; here it is refused",
        )
    )
    cases.append(
        Case(
            "numbers_product_too_large",
            "max_pending: 10e",
            difference="nats-server lets the product wrap around; here it is refused",
        )
    )
    return cases


def _booleans() -> list[Case]:
    words = [
        "true",
        "false",
        "yes",
        "no",
        "on",
        "off",
        "TRUE",
        "Yes",
        "oN",
        "t",
        "1",
        '"true"',
        "'on'",
    ]
    return [Case("booleans_" + str(i), f"debug: {word}") for i, word in enumerate(words)]


def _containers() -> list[Case]:
    texts = {
        "map_without_separator": "authorization { user: u }",
        "map_equals": "authorization = { user = u }",
        "map_newlines": "authorization {\n user: u\n pass: p\n}\n",
        "map_semicolons": "authorization { user: u; pass: p; }",
        "map_commas": "authorization { user: u, pass: p, }",
        "map_empty": "authorization {}",
        "map_unclosed": "authorization { user: u",
        "map_unclosed_newline": "authorization {\n user: u\n",
        "map_key_only": "authorization { user }",
        "map_key_unfinished": "authorization { user",
        "map_separator_first": "authorization { : u }",
        "map_array_end": "authorization { ] }",
        "map_comma_value": "authorization { user: , }",
        "map_value_on_next_line": "authorization { user:\n u }",
        "map_then_word": "authorization { user: u } x",
        "array": "server_tags: [a, b]",
        "array_newlines": "server_tags: [\na\nb\n]\n",
        "array_trailing_comma": "server_tags: [a, ]",
        "array_comma_first": "server_tags: [, a]",
        "array_commas": "server_tags: [a,, b]",
        "array_no_separator": "server_tags: [a b]",
        "array_unclosed": "server_tags: [a, b",
        "array_unclosed_newline": "server_tags: [a, b\n",
        "array_empty": "server_tags: []",
        "array_closed_by_brace": "server_tags: [a }",
        "deep": "server_metadata { a { b { c: d } } }",
    }
    cases = [Case("containers_" + name, text) for name, text in texts.items()]
    for name, text in {
        "numbers": "server_tags: [ 1 ]",
        "maps": "server_tags: [ {a: b} ]",
        "arrays": "server_tags: [ [a] ]",
    }.items():
        cases.append(
            Case(
                "containers_array_of_" + name,
                text,
                difference="nats-server names a type of its own; here it is the type of the value",
            )
        )
    return cases


def _variables() -> list[Case]:
    return [
        Case("variables_top", "X: 4333\nport: $X"),
        Case("variables_unused", "X: 4333\nport: 1"),
        Case("variables_string", 'X: "h"\nhost: $X'),
        Case("variables_in_map", "X: u\nauthorization { user: $X }"),
        Case("variables_inner_first", "X: u\nauthorization { X: v, user: $X }"),
        Case("variables_map", "A { user: u }\nauthorization: $A"),
        Case("variables_later", "port: $X\nX: 4333"),
        Case("variables_unknown", "\n\nport: $MARTLET_NOBODY_SETS_THIS"),
        Case("variables_quoted", 'server_name: "$X"'),
        Case(
            "variables_bcrypt",
            "authorization { user: u, password: "
            "$2a$11$UP3xizk94sWF9SHF/wkklOfBT9jphTGNrhZqz2OHoBdk9yO1kvErG }",
        ),
        Case("variables_environment", "port: $MARTLET_PORT", environment={"MARTLET_PORT": "4334"}),
        Case(
            "variables_environment_suffix",
            "max_pending: $MARTLET_SIZE",
            environment={"MARTLET_SIZE": "64MB"},
        ),
        Case(
            "variables_environment_array",
            "server_tags: $MARTLET_TAGS",
            environment={"MARTLET_TAGS": "[a, b]"},
            difference="nats-server does not see strings in an array from the environment",
        ),
        Case(
            "variables_environment_map",
            "authorization: $MARTLET_AUTH",
            environment={"MARTLET_AUTH": "{user: u, pass: p}"},
        ),
        Case(
            "variables_environment_empty",
            "server_name: $MARTLET_EMPTY",
            environment={"MARTLET_EMPTY": ""},
        ),
        Case(
            "variables_environment_quoted",
            "server_name: $MARTLET_NAME",
            environment={"MARTLET_NAME": "'4222'"},
        ),
        Case(
            "variables_environment_bad", "port: $MARTLET_BAD", environment={"MARTLET_BAD": "[1 2"}
        ),
        Case(
            "variables_environment_chain",
            "port: $MARTLET_A",
            environment={"MARTLET_A": "$MARTLET_B", "MARTLET_B": "4335"},
        ),
        Case(
            "variables_environment_cycle",
            "port: $MARTLET_A",
            environment={"MARTLET_A": "$MARTLET_B", "MARTLET_B": "$MARTLET_A"},
        ),
        Case(
            "variables_environment_wrong_type",
            "port: $MARTLET_PORT",
            environment={"MARTLET_PORT": "abc"},
        ),
        Case(
            "variables_map_beats_environment",
            "MARTLET_PORT: 1\nport: $MARTLET_PORT",
            environment={"MARTLET_PORT": "2"},
        ),
        Case("variables_dollar_alone", "server_name: $", environment={}),
    ]


def _includes() -> list[Case]:
    return [
        Case("includes_plain", "include ./one.conf", {"one.conf": "port: 4222"}),
        Case("includes_quoted", "include 'one.conf'\nhost: h", {"one.conf": "port: 4222"}),
        Case("includes_double_quoted", 'include "one.conf"\nhost: h', {"one.conf": "port: 4222"}),
        Case("includes_upper_case", "INCLUDE one.conf", {"one.conf": "port: 4222"}),
        Case("includes_semicolon", "include one.conf; host: h", {"one.conf": "port: 4222"}),
        Case("includes_in_map", "authorization { include one.conf }", {"one.conf": "user: u"}),
        Case(
            "includes_in_map_lines",
            "authorization {\n include one.conf\n pass: p\n}",
            {"one.conf": "user: u"},
        ),
        Case(
            "includes_nested",
            "include sub/one.conf",
            {"sub/one.conf": "include two.conf", "sub/two.conf": "port: 1"},
        ),
        Case("includes_override", "port: 1\ninclude one.conf", {"one.conf": "port: 2"}),
        Case("includes_overridden", "include one.conf\nport: 1", {"one.conf": "port: 2"}),
        Case("includes_missing", "include nope.conf"),
        Case("includes_bad", "include one.conf", {"one.conf": "port: [1 2"}),
        Case("includes_unknown_key", "include one.conf", {"one.conf": "\n foo: 1"}),
        Case("includes_variables_do_not_cross", "X: 1\ninclude one.conf", {"one.conf": "port: $X"}),
        Case("includes_variables_come_out", "include one.conf\nport: $X", {"one.conf": "X: 1"}),
        Case("includes_number", "include 5"),
        Case("includes_nothing", "include \n"),
        Case("includes_array", "include [a]"),
        Case("includes_unclosed", "include 'one.conf"),
        Case("includes_as_key", "include: one.conf", {"one.conf": "port: 1"}),
        Case("includes_absolute_is_relative", "include /one.conf", {"one.conf": "port: 1"}),
    ]


# What keys mean, and what their values may be.
MEANING = {
    "unknown": "foo: 1",
    "unknown_second_line": "port: 1\n  foo: 1",
    "unknown_quoting": '"f\\\\o": 1',
    "unknown_in_authorization": "authorization { foo: 1 }",
    "string_for_int": "port: abc",
    "int_for_string": "server_name: 5",
    "int_for_bool": "debug: 1",
    "array_for_int": "port: [ 'a' ]",
    "map_for_int": "port { a: b }",
    "bool_for_string": "host: true",
    "int_for_map_value": "server_metadata { a: 1 }",
    "listen_string": 'listen: "0.0.0.0:5000"',
    "listen_port": "listen: 5000",
    "listen_colon": 'listen: ":5000"',
    "listen_six": 'listen: "[::1]:5000"',
    "listen_six_bare": 'listen: "::1:5000"',
    "listen_bad": "listen: x",
    "listen_bad_port": 'listen: "x:y"',
    "listen_float": "listen: 1.5",
    "http": 'http: "127.0.0.1:8222"',
    "http_bad": "http: x",
    "max_payload_too_big": "max_payload: 3gb",
    "max_control_line_too_big": "max_control_line: 3gb",
    "max_payload_above_pending": "max_payload: 100mb",
    "max_sub_tokens": "max_sub_tokens: 16",
    "max_sub_tokens_too_big": "max_sub_tokens: 256",
    "max_sub_tokens_zero": "max_subscription_tokens: 0",
    "duration_number": "ping_interval: 5",
    "duration": 'write_deadline: "2s"',
    "duration_bad_unit": 'write_deadline: "5x"',
    "duration_no_unit": 'write_deadline: "5"',
    "duration_bare": "write_deadline: 5s",
    "duration_bare_minutes": "ping_interval: 2m",
    "duration_bool": "ping_interval: true",
    "lame_duck": 'lame_duck_duration: "1m"\nlame_duck_grace_period: "5s"',
    "lame_duck_short": 'lame_duck_duration: "1s"',
    "lame_duck_grace_negative": 'lame_duck_grace_period: "-1s"',
    "lame_duck_bad": 'lame_duck_duration: "x"',
    "user_and_token": "authorization { user: a, password: c, token: b }",
    "timeout_string": 'authorization { token: t, timeout: "2s" }',
    "timeout_high": "authorization { token: t, timeout: 120 }",
    "timeout_bare_minute": "authorization { token: t, timeout: 1m }",
    "timeout_bad": 'authorization { token: t, timeout: "x" }',
    "timeout_bool": "authorization { token: t, timeout: true }",
    "tags_number": "server_tags: 1",
    "tags_array": 'server_tags: ["a", "b"]',
    "metadata_string": "server_metadata: x",
    "server_name_space": 'server_name: "a b"',
    "write_timeout": "write_timeout: close",
    "write_timeout_bad": "write_timeout: x",
    "connect_error_reports": "connect_error_reports: 10, reconnect_error_reports: 2",
    "logging": 'debug: true\ntrace: false\nlogtime: true\nlog_file: "/tmp/x"\n'
    "logfile_size_limit: 1GB\nlogfile_max_num: 3",
    "max_connections_zero": "max_connections: 0",
    "aliases": "net: h, monitor_port: 1, max_conn: 1, max_subs: 1, "
    "pidfile: p, logfile: l, no_sublist_cache: true",
    "off_switches": "jetstream: false\nproxy_protocol: false\nno_sys_acc: false",
    "several_errors": "foo: 1",
}

# Keys that NATS knows and Martlet does not yet.
LATER = {
    "jetstream": "jetstream: true",
    "jetstream_enabled": "jetstream: enabled",
    "cluster": "cluster { name: c, port: 6222 }",
    "leafnodes": "leafnodes { port: 7422 }",
    "gateway": "gateway { name: g, port: 7222 }",
    "websocket": "websocket { port: 8080, no_tls: true }",
    "accounts": "accounts { A { users: [ {user: a, password: b} ] } }",
    "users": "authorization { users: [ {user: a, password: b} ] }",
    "no_auth_user": "no_auth_user: a",
    "system_account": "system_account: SYS",
    "mappings": "mappings { a: b }",
    "https_port": "https_port: 8443",
    "prof_port": "prof_port: 1",
    "trace_headers": "trace_headers: true",
    "feature_flags": "feature_flags { a: true }",
    "write_timeout_retry": "write_timeout: retry",
}


def _meaning() -> list[Case]:
    cases = [Case("meaning_" + name, text) for name, text in MEANING.items()]
    cases.append(
        Case(
            "meaning_port_out_of_range",
            "port: 70000",
            difference="nats-server finds out when it listens; here -t says so",
        )
    )
    cases.append(
        Case(
            "meaning_own_block",
            "martlet { loops: 2, max_memory: 1gb }",
            difference="a block of Martlet's own",
        )
    )
    later = "known, and comes later"
    for name, text in LATER.items():
        cases.append(Case("later_" + name, text, difference=later))
    return cases


CASES: list[Case] = (
    _pairs()
    + _comments()
    + _strings()
    + _numbers()
    + _booleans()
    + _containers()
    + _variables()
    + _includes()
    + _meaning()
)

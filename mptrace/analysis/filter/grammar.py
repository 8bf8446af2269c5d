"""The grammar of display filters, for lark: what Wireshark 4 reads.

Precedence, loosest first: or, xor, and, not, relations, ``&``, ``+ -``, ``* / %``. Words are not
told apart here: only the registry of fields knows which of them are names.
"""

from __future__ import annotations

from typing import Final

GRAMMAR: Final = r"""
start: test?

?test: xor_test (_OR xor_test)*            -> either
?xor_test: and_test (_XOR and_test)*       -> one_of
?and_test: not_test (_AND not_test)*       -> both
?not_test: NOT not_test                    -> negation
         | _LEFT_PAREN test RIGHT_PAREN    -> grouped
         | relation

?relation: comparison | contains | matches | membership | existence
comparison: [QUANTIFIER] value (COMPARE value)+
contains: [QUANTIFIER] value _CONTAINS value
matches: [QUANTIFIER] value _MATCHES STRING
membership: [QUANTIFIER] value [NOT] _IN _LEFT_BRACE member (_COMMA? member)* RIGHT_BRACE
existence: value
member: atom [_RANGE atom]

?value: sum (BIT_AND sum)*                 -> arithmetic
?sum: term (SIGN term)*                    -> arithmetic
?term: atom (FACTOR atom)*                 -> arithmetic
?atom: WORD                                -> word
     | ADDRESS                             -> word
     | SIGN WORD                           -> signed
     | STRING                              -> quoted
     | CHARACTER                           -> character
     | WORD _LEFT_PAREN value RIGHT_PAREN  -> call
     | atom SLICE                          -> slice

_OR.4: /\|\|/ | /or(?![\w.])/
_XOR.4: /\^\^/ | /xor(?![\w.])/
_AND.4: /&&/ | /and(?![\w.])/
NOT.4: /!(?!=)/ | /not(?![\w.])/
QUANTIFIER.4: /(any|all)(?![\w.])/
COMPARE.4: /===|==|!==|!=|~=|<=|>=|<|>/ | /(eq|ne|gt|lt|ge|le|any_eq|all_eq|any_ne|all_ne)(?![\w.])/
_CONTAINS.4: /contains(?![\w.])/
_MATCHES.4: /~(?!=)/ | /matches(?![\w.])/
_IN.4: /in(?![\w.])/
_RANGE.4: /\.\./
_COMMA.4: ","
_LEFT_PAREN.4: "("
RIGHT_PAREN.4: ")"
_LEFT_BRACE.4: "{"
RIGHT_BRACE.4: "}"
BIT_AND.3: /&/ | /(bitand|bitwise_and)(?![\w.])/
SIGN.3: /[+-]/
FACTOR.3: /[*\/%]/
SLICE.3: /\[[^\]]*\]/
STRING.4: /[rR]?"(\\.|[^"\\])*"/s
CHARACTER.4: /'(\\.[0-9A-Fa-f]*|[^'\\])'/
ADDRESS.3: /[0-9A-Fa-f]*:[0-9A-Fa-f:]*(\.[0-9]+)*(\/[0-9]+)?/
         | /[0-9]+\.[0-9]+\.[0-9]+\.[0-9]+(\/[0-9]+)?/
WORD.2: /[A-Za-z0-9_]+([.-](?=[A-Za-z0-9_])[A-Za-z0-9_]+)*/
%ignore /[ \t\r\n]+/
"""
"""The empty filter is every packet."""

MEANINGS: Final = {
    "_OR": "or",
    "_XOR": "xor",
    "_AND": "and",
    "NOT": "not",
    "QUANTIFIER": "any or all",
    "COMPARE": "a comparison",
    "_CONTAINS": "contains",
    "_MATCHES": "matches",
    "_IN": "in",
    "_RANGE": "..",
    "_COMMA": "a comma",
    "_LEFT_PAREN": "(",
    "RIGHT_PAREN": ")",
    "_LEFT_BRACE": "{",
    "RIGHT_BRACE": "}",
    "BIT_AND": "&",
    "SIGN": "+ or -",
    "FACTOR": "*, / or %",
    "SLICE": "a slice in [ ]",
    "STRING": "a string in quotes",
    "CHARACTER": "a character",
    "ADDRESS": "an address",
    "WORD": "a field or a value",
}
"""The terminals in words."""

package typescript

import "manito/internal/lang"

func builtins() map[string]lang.Builtin { return map[string]lang.Builtin{} }

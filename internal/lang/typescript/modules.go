package typescript

import (
	"context"
	"manito/internal/lang"
)

func newModules(ctx context.Context, repo lang.Repository) (lang.Modules, error) { return nil, nil }

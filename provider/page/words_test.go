package page_test

import (
	"testing"

	"asoba.example/provider/page/pagetest"
)

func TestEveryWordOfTheSiteItself(t *testing.T) { pagetest.Words(t, ".") }

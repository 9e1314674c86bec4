package page

import "text/template/parse"

// keysNamedUnder walks a template's tree for {{t "key"}} and for {{field . "name"}}, whose label is a word too.
func keysNamedUnder(n parse.Node) []string {
	var keys []string
	under := func(nodes ...parse.Node) {
		for _, n := range nodes {
			keys = append(keys, keysNamedUnder(n)...)
		}
	}
	branch := func(b *parse.BranchNode) {
		under(b.Pipe, b.List)
		if b.ElseList != nil {
			under(b.ElseList)
		}
	}
	switch n := n.(type) {
	case *parse.ListNode:
		under(n.Nodes...)
	case *parse.ActionNode:
		under(n.Pipe)
	case *parse.IfNode:
		branch(&n.BranchNode)
	case *parse.RangeNode:
		branch(&n.BranchNode)
	case *parse.WithNode:
		branch(&n.BranchNode)
	case *parse.TemplateNode:
		if n.Pipe != nil {
			under(n.Pipe)
		}
	case *parse.PipeNode:
		for _, c := range n.Cmds {
			under(c)
		}
	case *parse.CommandNode:
		keys = append(keys, keysNamedBy(n)...)
		under(n.Args...)
	}
	return keys
}

// keysNamedBy reads one call.
func keysNamedBy(c *parse.CommandNode) []string {
	text := func(i int) string {
		if i < len(c.Args) {
			if s, ok := c.Args[i].(*parse.StringNode); ok {
				return s.Text
			}
		}
		return ""
	}
	function, ok := c.Args[0].(*parse.IdentifierNode)
	switch {
	case !ok:
	case function.Ident == "t" && text(1) != "":
		return []string{text(1)}
	case function.Ident == "field" && text(2) != "":
		keys := []string{}
		label := "field." + text(2)
		for i := 3; i+1 < len(c.Args); i += 2 {
			switch text(i) {
			case "label":
				label = text(i + 1)
			case "hint":
				keys = append(keys, text(i+1))
			}
		}
		if label != "" {
			keys = append(keys, label)
		}
		return keys
	}
	return nil
}

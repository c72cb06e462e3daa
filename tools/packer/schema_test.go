package main

import (
	"os"
	"reflect"
	"strings"
	"testing"

	"rules_go_multiarch/tools/packer/internal/manifest"
)

// TestSchema compares SCHEMA.md with what is printed: every field of every
// document is in its section.
func TestSchema(t *testing.T) {
	text, err := os.ReadFile("SCHEMA.md")
	if err != nil {
		t.Fatal(err)
	}
	sections := map[string]string{}
	for _, section := range strings.Split(string(text), "\n## ")[1:] {
		title, body, _ := strings.Cut(section, "\n")
		sections[title] = body
	}
	for title, documents := range map[string][]any{
		"`info --json`":        {fileInfo{}, plainInfo{}},
		"`check --json`":       {checked{}},
		"`verify --json`":      {verification{}},
		"`which --json`":       {processInfo{}},
		"`build -report FILE`": {buildReport{}},
	} {
		body, found := sections[title]
		if !found {
			t.Errorf("SCHEMA.md has no section %s", title)
		}
		for _, document := range documents {
			for _, field := range fields(reflect.TypeOf(document)) {
				if !strings.Contains(body, "`"+field+"`") {
					t.Errorf("SCHEMA.md, %s: no `%s`", title, field)
				}
			}
		}
	}
	format, err := os.ReadFile("../../launcher/FORMAT.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, field := range fields(reflect.TypeOf(manifest.Manifest{})) {
		if !strings.Contains(string(format), `"`+field+`"`) {
			t.Errorf("FORMAT.md: no %q", field)
		}
	}
}

// TestSchemaNamesAll wants every flag that prints or writes JSON in SCHEMA.md.
func TestSchemaNamesAll(t *testing.T) {
	text, err := os.ReadFile("SCHEMA.md")
	if err != nil {
		t.Fatal(err)
	}
	for verb, flags := range flagsOf {
		for _, flag := range flags {
			if (flag == "--json" || flag == "-report" || flag == "-manifest") && !strings.Contains(string(text), "`"+verb+" "+flag) {
				t.Errorf("%s %s is not in SCHEMA.md", verb, flag)
			}
		}
	}
}

// fields are the names in JSON of a type's fields and of those that are in them.
func fields(of reflect.Type) (names []string) {
	for of.Kind() == reflect.Slice || of.Kind() == reflect.Pointer {
		of = of.Elem()
	}
	if of.Kind() != reflect.Struct {
		return nil
	}
	for i := range of.NumField() {
		name, _, _ := strings.Cut(of.Field(i).Tag.Get("json"), ",")
		names = append(append(names, name), fields(of.Field(i).Type)...)
	}
	return names
}

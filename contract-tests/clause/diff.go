package clause

import (
	"fmt"
	"reflect"
	"strings"
)

// Diff says in which fields got differs from want, which is of the same type,
// and is empty where they are the same. It shows digests in hexadecimal. Times
// are the same only in the same zone; an empty map or slice is the same as none.
func Diff[T any](got, want T) string {
	var found []string
	walk("", reflect.ValueOf(&got).Elem(), reflect.ValueOf(&want).Elem(), &found)
	return strings.Join(found, "; ")
}

// walk compares the fields and elements, down to those that have none.
func walk(field string, got, want reflect.Value, found *[]string) {
	bytes := (got.Kind() == reflect.Slice || got.Kind() == reflect.Array) && got.Type().Elem().Kind() == reflect.Uint8
	switch {
	case got.Kind() == reflect.Struct && isOpen(got.Type()):
		for i := range got.NumField() {
			walk(strings.TrimPrefix(field+"."+got.Type().Field(i).Name, "."), got.Field(i), want.Field(i), found)
		}
	case got.Kind() == reflect.Map:
		for _, key := range keysOf(got, want) {
			walk(fmt.Sprintf("%s[%v]", field, key), element(got, key), element(want, key), found)
		}
	case (got.Kind() == reflect.Slice || got.Kind() == reflect.Array) && !bytes && got.Len() == want.Len():
		for i := range got.Len() {
			walk(fmt.Sprintf("%s[%d]", field, i), got.Index(i), want.Index(i), found)
		}
	case !reflect.DeepEqual(got.Interface(), want.Interface()):
		*found = append(*found, strings.TrimPrefix(field+": ", ": ")+"got "+text(got, bytes)+", want "+text(want, bytes))
	}
}

// isOpen says that the fields of a struct can be looked at, unlike time.Time's.
func isOpen(t reflect.Type) bool {
	for i := range t.NumField() {
		if !t.Field(i).IsExported() {
			return false
		}
	}
	return true
}

func text(v reflect.Value, bytes bool) string {
	switch {
	case bytes:
		return fmt.Sprintf("%x", v.Interface())
	case v.Kind() == reflect.String:
		return fmt.Sprintf("%q", v.Interface())
	}
	return fmt.Sprintf("%+v", v.Interface())
}

// keysOf returns the keys of either map, each once.
func keysOf(a, b reflect.Value) []reflect.Value {
	keys := a.MapKeys()
	for _, key := range b.MapKeys() {
		if !a.MapIndex(key).IsValid() {
			keys = append(keys, key)
		}
	}
	return keys
}

// element returns what the map has under key, or zero.
func element(m, key reflect.Value) reflect.Value {
	if v := m.MapIndex(key); v.IsValid() {
		return v
	}
	return reflect.Zero(m.Type().Elem())
}

// printf's directives (C11 7.21.6.1). Not provided, and answered with -1: %a, %n, long double and wide characters.
#include <ctype.h>
#include <limits.h>
#include <math.h>
#include <string.h>

#include "runtime.h"

enum length { INT, CHAR, SHORT, LONG };

struct directive {
  bool left, plus, space, alternate, zeros;
  int width;
  int precision;  // -1 when none is given
  enum length length;
  char conversion;
};

struct output {
  struct __sink *sink;
  size_t total;
};

static void put(struct output *out, const char *text, size_t size) {
  if (size == 0) return;
  out->sink->write(out->sink, text, size);
  out->total += size;
}

static void pad(struct output *out, char c, long count) {
  char run[32];
  memset(run, c, sizeof run);
  for (; count > 0; count -= sizeof run) put(out, run, count < (long)sizeof run ? (size_t)count : sizeof run);
}

// Zero padding goes between prefix (sign, 0x) and body, blanks around both.
static void put_padded(struct output *out, const struct directive *d, const char *prefix, long body_size) {
  const long blank = d->width - (long)strlen(prefix) - body_size;
  if (!d->left && !d->zeros) pad(out, ' ', blank);
  put(out, prefix, strlen(prefix));
  if (!d->left && d->zeros) pad(out, '0', blank);
}

static void pad_right(struct output *out, const struct directive *d, size_t start) {
  if (d->left) pad(out, ' ', d->width - (long)(out->total - start));
}

static void put_text(struct output *out, const struct directive *d, const char *text, size_t size) {
  const size_t start = out->total;
  struct directive blanks = *d;
  blanks.zeros = false;
  put_padded(out, &blanks, "", (long)size);
  put(out, text, size);
  pad_right(out, d, start);
}

static const char *sign_prefix(const struct directive *d, bool negative) {
  return negative ? "-" : d->plus ? "+" : d->space ? " " : "";
}

static void put_integer(struct output *out, struct directive *d, uint64_t magnitude, const char *sign) {
  const unsigned base = d->conversion == 'o' ? 8 : strchr("xXp", d->conversion) != NULL ? 16 : 10;
  const char *const alphabet = d->conversion == 'X' ? "0123456789ABCDEF" : "0123456789abcdef";
  char digits[24], *first = digits + sizeof digits;
  for (uint64_t rest = magnitude; rest != 0; rest /= base) *--first = alphabet[rest % base];
  const long count = digits + sizeof digits - first;
  long precision = d->precision < 0 ? 1 : d->precision;
  const char *prefix = sign;
  if (base == 16 && d->alternate && magnitude != 0) prefix = d->conversion == 'X' ? "0X" : "0x";
  if (base == 8 && d->alternate && precision <= count) precision = count + 1;
  if (d->precision >= 0) d->zeros = false;
  const long zeros = precision > count ? precision - count : 0;
  const size_t start = out->total;
  put_padded(out, d, prefix, zeros + count);
  pad(out, '0', zeros);
  put(out, first, (size_t)count);
  pad_right(out, d, start);
}

// Digits [from, to) counted from the decimal point's left edge of 0.DIGITS; outside the kept digits they are zeros.
static void put_digits(struct output *out, const struct __decimal *decimal, long from, long to) {
  if (from < 0) {
    pad(out, '0', (to < 0 ? to : 0) - from);
    from = 0;
  }
  const long end = to < decimal->count ? to : decimal->count;
  if (from < end) {
    put(out, decimal->digits + from, (size_t)(end - from));
    from = end;
  }
  pad(out, '0', to - from);
}

static void put_fixed(struct output *out, const struct directive *d, const struct __decimal *decimal, int precision,
                      const char *sign) {
  const bool dot = precision > 0 || d->alternate;
  const int whole = decimal->count > 0 && decimal->point > 0 ? decimal->point : 1;
  put_padded(out, d, sign, (long)whole + dot + precision);
  // A value below one has no digit left of the point: its first zero is digit point - 1.
  const long first = decimal->count > 0 ? decimal->point - whole : -1;
  put_digits(out, decimal, first, first + whole);
  if (dot) put(out, ".", 1);
  put_digits(out, decimal, first + whole, first + whole + precision);
}

static void put_scientific(struct output *out, const struct directive *d, const struct __decimal *decimal,
                           int precision, const char *sign) {
  const int exponent = decimal->count > 0 ? decimal->point - 1 : 0;
  const int magnitude = exponent < 0 ? -exponent : exponent;
  const char tail[] = {isupper(d->conversion) ? 'E' : 'e', exponent < 0 ? '-' : '+', (char)('0' + magnitude / 100),
                       (char)('0' + magnitude / 10 % 10), (char)('0' + magnitude % 10)};
  const int tail_size = magnitude >= 100 ? 5 : 4;
  const bool dot = precision > 0 || d->alternate;
  put_padded(out, d, sign, 1 + dot + precision + tail_size);
  put_digits(out, decimal, 0, 1);
  if (dot) put(out, ".", 1);
  put_digits(out, decimal, 1, 1l + precision);
  put(out, tail, 2);
  put(out, tail + 5 - (tail_size - 2), (size_t)tail_size - 2);
}

// %g: `digits` significant digits, without trailing zeros unless # asks for them.
static void put_general(struct output *out, const struct directive *d, struct __decimal *decimal, int digits,
                        const char *sign) {
  __decimal_round(decimal, digits);
  const int exponent = decimal->count > 0 ? decimal->point - 1 : 0;
  const bool fixed = exponent >= -4 && exponent < digits;
  int precision = fixed ? digits - 1 - exponent : digits - 1;
  if (!d->alternate) {
    const int kept = decimal->count - 1 - (fixed ? exponent : 0);
    precision = kept < 0 ? 0 : kept < precision ? kept : precision;
  }
  (fixed ? put_fixed : put_scientific)(out, d, decimal, precision, sign);
}

static void put_double(struct output *out, struct directive *d, double value) {
  const char *const sign = sign_prefix(d, signbit(value));
  const size_t start = out->total;
  if (!isfinite(value)) {
    const bool upper = isupper(d->conversion);
    d->zeros = false;
    put_padded(out, d, sign, 3);
    put(out, isnan(value) ? (upper ? "NAN" : "nan") : (upper ? "INF" : "inf"), 3);
    pad_right(out, d, start);
    return;
  }
  struct __decimal decimal;
  __decimal_of(&decimal, value);
  int precision = d->precision < 0 ? 6 : d->precision;
  const char style = (char)tolower(d->conversion);
  if (style == 'f') {
    if (precision < INT_MAX - 400) __decimal_round(&decimal, decimal.point + precision);
    put_fixed(out, d, &decimal, precision, sign);
  } else if (style == 'e') {
    if (precision < INT_MAX) __decimal_round(&decimal, precision + 1);
    put_scientific(out, d, &decimal, precision, sign);
  } else {
    put_general(out, d, &decimal, precision == 0 ? 1 : precision, sign);
  }
  pad_right(out, d, start);
}

static int parse_number(const char **in) {
  int value = 0;
  for (; isdigit(**in); ++*in) {
    if (__builtin_mul_overflow(value, 10, &value) || __builtin_add_overflow(value, **in - '0', &value)) return -1;
  }
  return value;
}

static bool parse_flag(struct directive *d, char c) {
  switch (c) {
    case '-': return d->left = true;
    case '+': return d->plus = true;
    case ' ': return d->space = true;
    case '#': return d->alternate = true;
    case '0': return d->zeros = true;
    default: return false;
  }
}

static enum length parse_length(const char **in) {
  switch (**in) {
    case 'h':
      ++*in;
      if (**in != 'h') return SHORT;
      ++*in;
      return CHAR;
    case 'l':
      *in += (*in)[1] == 'l' ? 2 : 1;
      return LONG;
    case 'j':
    case 't':
    case 'z':
      ++*in;
      return LONG;
    default: return INT;
  }
}

static int64_t narrow_signed(enum length length, int64_t value) {
  switch (length) {
    case CHAR: return (signed char)value;
    case SHORT: return (short)value;
    case INT: return (int)value;
    default: return value;
  }
}

static uint64_t narrow_unsigned(enum length length, uint64_t value) {
  switch (length) {
    case CHAR: return (unsigned char)value;
    case SHORT: return (unsigned short)value;
    case INT: return (unsigned)value;
    default: return value;
  }
}

struct arguments {
  va_list list;
};

static bool put_directive(struct output *out, struct directive *d, struct arguments *arguments) {
  switch (d->conversion) {
    case 'd':
    case 'i': {
      const int64_t given = d->length == LONG ? va_arg(arguments->list, int64_t) : va_arg(arguments->list, int);
      const int64_t value = narrow_signed(d->length, given);
      put_integer(out, d, value < 0 ? -(uint64_t)value : (uint64_t)value, sign_prefix(d, value < 0));
      return true;
    }
    case 'u':
    case 'o':
    case 'x':
    case 'X': {
      const uint64_t given =
          d->length == LONG ? va_arg(arguments->list, uint64_t) : va_arg(arguments->list, unsigned);
      put_integer(out, d, narrow_unsigned(d->length, given), "");
      return true;
    }
    case 'p': {
      // The prefix belongs to null too: every pointer reads alike.
      const uint64_t address = (uintptr_t)va_arg(arguments->list, void *);
      d->alternate = false;
      put_integer(out, d, address, "0x");
      return true;
    }
    case 'c': {
      const char c = (char)va_arg(arguments->list, int);
      put_text(out, d, &c, 1);
      return true;
    }
    case 's': {
      const char *text = va_arg(arguments->list, const char *);
      if (text == NULL) text = "(null)";
      put_text(out, d, text, d->precision < 0 ? strlen(text) : strnlen(text, (size_t)d->precision));
      return true;
    }
    case 'e':
    case 'E':
    case 'f':
    case 'F':
    case 'g':
    case 'G': put_double(out, d, va_arg(arguments->list, double)); return true;
    case '%': put(out, "%", 1); return true;
    default: return false;
  }
}

int __format(struct __sink *sink, const char *format, va_list list) {
  struct output out = {.sink = sink};
  struct arguments arguments;
  va_copy(arguments.list, list);
  bool known = true;
  while (known && *format != 0) {
    const size_t plain = strcspn(format, "%");
    put(&out, format, plain);
    format += plain;
    if (*format++ == 0) break;
    struct directive d = {.precision = -1};
    while (parse_flag(&d, *format)) format++;
    if (*format == '*') {
      format++;
      d.width = va_arg(arguments.list, int);
      d.left |= d.width < 0;
      d.width = d.width < 0 ? -(unsigned)d.width & INT_MAX : (unsigned)d.width;
    } else {
      d.width = parse_number(&format);
    }
    if (*format == '.') {
      format++;
      if (*format == '*') {
        format++;
        d.precision = va_arg(arguments.list, int);
      } else {
        d.precision = parse_number(&format);
        known &= d.precision >= 0;
      }
    }
    known &= d.width >= 0;
    d.length = parse_length(&format);
    d.conversion = *format;
    known = known && put_directive(&out, &d, &arguments);
    if (*format != 0) format++;
  }
  va_end(arguments.list);
  return known && out.total <= INT_MAX ? (int)out.total : -1;
}

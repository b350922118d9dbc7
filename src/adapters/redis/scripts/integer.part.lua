-- Whole numbers as they are written; Lua would write large ones with an exponent.
local function integer(number) return string.format('%.0f', number) end
